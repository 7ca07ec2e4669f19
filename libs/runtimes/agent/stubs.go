package main

func newWebMode(*agent, *initHead) mode    { return nil }
func newCustomMode(*agent, *initHead) mode { return nil }
func newGo1Mode(*agent, *initHead) mode    { return nil }
func newImageMode(*agent, *initHead) mode  { return nil }
func newJobMode(*agent, *initHead) mode    { return nil }
