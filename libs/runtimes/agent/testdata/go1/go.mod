module main

go 1.19

require openscf/go v0.0.0

replace openscf/go => ../../../go
