package main

import "strings"

// headScanner reads the JSON of a request's head as the invoker writes it, several times as fast as encoding/json does: strings
// without escapes, which become parts of one string, and values of the wanted names. Anything else is left to encoding/json.
type headScanner struct {
	text string
	at   int
}

// scanRequest is false when the text has something that only encoding/json knows.
func scanRequest(text []byte, head *requestHead) bool {
	s := headScanner{text: string(text)}
	if !s.take('{') {
		return false
	}
	for {
		name, ok := s.quoted()
		if !ok || !s.take(':') {
			return false
		}
		switch name {
		case "request_id":
			head.RequestID, ok = s.quoted()
		case "method":
			head.Method, ok = s.quoted()
		case "target":
			head.Target, ok = s.quoted()
		case "headers":
			head.Headers, ok = s.lines()
		default:
			_, ok = s.quoted()
		}
		if !ok {
			return false
		}
		if s.take('}') {
			return s.at == len(s.text)
		}
		if !s.take(',') {
			return false
		}
	}
}

func (s *headScanner) take(letter byte) bool {
	if s.at < len(s.text) && s.text[s.at] == letter {
		s.at++
		return true
	}
	return false
}

func (s *headScanner) quoted() (string, bool) {
	if !s.take('"') {
		return "", false
	}
	length := strings.IndexByte(s.text[s.at:], '"')
	if length < 0 {
		return "", false
	}
	value := s.text[s.at : s.at+length]
	s.at += length + 1
	return value, strings.IndexByte(value, '\\') < 0
}

func (s *headScanner) lines() ([][2]string, bool) {
	if !s.take('[') {
		return nil, false
	}
	if s.take(']') {
		return nil, true
	}
	lines := make([][2]string, 0, 24)
	for {
		line, ok := s.line()
		if !ok {
			return nil, false
		}
		lines = append(lines, line)
		if s.take(']') {
			return lines, true
		}
		if !s.take(',') {
			return nil, false
		}
	}
}

func (s *headScanner) line() (line [2]string, ok bool) {
	if !s.take('[') {
		return line, false
	}
	if line[0], ok = s.quoted(); !ok || !s.take(',') {
		return line, false
	}
	if line[1], ok = s.quoted(); !ok {
		return line, false
	}
	return line, s.take(']')
}
