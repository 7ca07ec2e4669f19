package main

// respond passes the response on; the connection is kept when both directions have come to their ends.
func (x *exchange) respond(conn *appConn, head *responseHead, headBytes int, uploaded chan error) error {
	out := relay{channel: x.server.channel, stream: x.stream}
	out.begin()
	defer out.finish()
	x.mutex.Lock()
	if x.over {
		x.mutex.Unlock()
		_ = conn.Close()
		return nil
	}
	x.responded = true
	x.mutex.Unlock()
	out.response(head)
	_, _ = conn.from.Discard(headBytes)
	if head.status == 101 {
		<-uploaded
		go func() { uploaded <- x.pipe(conn) }()
	}
	body := head.body(conn.from, x.head.Method)
	if err := x.relayBody(&out, &body, head.status == 101); err != nil {
		_ = conn.Close()
		return err
	}
	if head.status == 101 {
		out.flush()
		<-uploaded
	}
	x.conclude(&out, head.status != 101)
	select {
	case err := <-uploaded:
		if err == nil && head.keepAlive && head.status != 101 && !body.untilClose() {
			x.server.pool.release(conn)
			return nil
		}
	default:
	}
	_ = conn.Close()
	return nil
}

// relayBody reads and sends as far as the invoker takes it; for a tunnel it sends the end too.
func (x *exchange) relayBody(out *relay, body *bodyReader, tunnel bool) error {
	for {
		limit := x.awaitCredit(out)
		if limit < 0 {
			return errAborted
		}
		count, err := out.data(body, limit)
		x.spend(count)
		if err == nil {
			continue
		}
		if !isEnd(err) {
			return err
		}
		if tunnel {
			out.frame(kindEnd, noHead)
		}
		return nil
	}
}

// awaitCredit is negative when the exchange is over.
func (x *exchange) awaitCredit(out *relay) int {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	for x.credit <= 0 && !x.over {
		x.mutex.Unlock()
		out.flush()
		x.mutex.Lock()
		if x.credit <= 0 && !x.over {
			x.changed.Wait()
		}
	}
	if x.over {
		return -1
	}
	return x.credit
}

func (x *exchange) spend(count int) {
	x.mutex.Lock()
	x.credit -= count
	x.mutex.Unlock()
}

// conclude ends the exchange; withEnd sends the end of the response before.
func (x *exchange) conclude(out *relay, withEnd bool) {
	x.mutex.Lock()
	if withEnd && !x.over {
		out.frame(kindEnd, noHead)
	}
	x.over = true
	x.changed.Broadcast()
	x.mutex.Unlock()
}
