# -*- coding: utf-8 -*-
"""Runs a function inside an instance, on Python 2.7. See bootstrap.py, which does the same on Python 3, and ../README.md."""
from __future__ import print_function

import json
import os
import struct
import sys
from _socket import AF_UNIX, SOCK_STREAM, socket

CHANNEL = sys.argv[1] if len(sys.argv) > 1 else '/run/openscf/channel.sock'
HELLO, INIT, READY, INIT_FAILED, INVOKE, RESULT, ERROR = 1, 2, 3, 4, 5, 6, 7
PREAMBLE = struct.Struct('>IBII')
MAX_RESULT_BYTES = 6 * 1024 * 1024
# Longest text of a message or a trace that is sent.
MAX_TEXT = 64 * 1024


class Context(dict):
    """SCF's context: a dict whose fields can also be read as attributes."""

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name)


class HandlerNotFound(Exception):
    pass


class Channel(object):
    """Frames: u32 length of the rest | u8 kind | u32 stream id | u32 head length | head (JSON) | body."""

    def __init__(self, path):
        self._socket = socket(AF_UNIX, SOCK_STREAM)
        self._socket.connect(path)

    def receive(self):
        length, kind, stream_id, head_bytes = PREAMBLE.unpack(self._read(PREAMBLE.size))
        head = self._read(head_bytes)
        body = self._read(length - (PREAMBLE.size - 4) - head_bytes)
        return kind, stream_id, json.loads(head), body

    def send(self, kind, stream_id, head=None, body=b''):
        head = json.dumps(head or {}, encoding='utf-8')
        length = PREAMBLE.size - 4 + len(head) + len(body)
        self._socket.sendall(PREAMBLE.pack(length, kind, stream_id, len(head)) + head + body)

    def _read(self, length):
        pieces = []
        while length > 0:
            piece = self._socket.recv(min(length, 1024 * 1024))
            if not piece:
                os._exit(0)  # Without its channel an instance is of no use: the invoker is gone or has given it up.
            pieces.append(piece)
            length -= len(piece)
        return b''.join(pieces)


def load(name, code_root):
    """Finds the function behind `folder/file.method`: the method is what follows the last dot."""
    name = name.encode('utf-8')
    file, dot, method = name.rpartition('.')
    if not file or not method:
        raise HandlerNotFound('the handler is "%s"; accepted is file.method' % name)
    path = os.path.normpath(os.path.join(code_root, file))
    if not os.path.isfile(path + '.py'):
        raise HandlerNotFound('the file of the handler "%s" does not exist: %s.py' % (name, file))
    if os.path.dirname(path) not in sys.path:
        sys.path.append(os.path.dirname(path))
    import imp
    module = imp.load_source(os.path.basename(path), path + '.py')
    handler = getattr(module, method, None)
    if not callable(handler):
        what = 'is not defined in' if handler is None else 'is not a function in'
        raise HandlerNotFound('the method "%s" of the handler "%s" %s %s.py' % (method, name, what, file))
    return handler


def enter(code_root, environment):
    """Takes on what is known only now. The code may have been mounted after the start: only a fresh look sees it."""
    os.chdir(code_root)
    for name, value in environment.items():
        os.environ[name.encode('utf-8')] = value.encode('utf-8')
    if 'TZ' in environment:
        import time
        time.tzset()
    if code_root not in sys.path:
        sys.path.insert(0, code_root)
    sys.path_importer_cache.clear()


def initialize(channel, head):
    """Returns the handler, or None when the failure has been sent."""
    try:
        code_root = head['codeRoot'].encode('utf-8')
        enter(code_root, head.get('environment') or {})
        handler = load(head['handler'], code_root)
        show_logging()
    except HandlerNotFound as error:
        channel.send(INIT_FAILED, 0, {'reason': 'handler-not-found', 'message': str(error), 'stackTrace': ''})
        return None
    except SystemExit as error:
        leave(error)
    except BaseException:
        channel.send(INIT_FAILED, 0, failure('load-failed'))
        return None
    channel.send(READY, 0)
    return handler


def show_logging():
    """Lets `logging` reach the function's log when the user's code uses it and has not set it up itself."""
    logging = sys.modules.get('logging')
    if logging is None or logging.getLogger().handlers:
        return
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter('[%(levelname)s] %(message)s'))
    logging.getLogger().addHandler(handler)


def invoke(channel, stream_id, handler, context, body):
    try:
        event = json.loads(body)
    except ValueError as error:
        channel.send(ERROR, stream_id, {'reason': 'event-not-json', 'message': str(error), 'stackTrace': ''})
        return
    try:
        result = handler(event, context)
    except SystemExit as error:
        leave(error)
    except BaseException:
        flush()
        channel.send(ERROR, stream_id, failure('exception'))
        return
    flush()
    try:
        encoded = json.dumps(result, allow_nan=False, encoding='utf-8')
    except Exception as error:
        message = 'the return value of the handler cannot be encoded as JSON: %s' % error
        channel.send(ERROR, stream_id, {'reason': 'result-not-json', 'message': message, 'stackTrace': ''})
        return
    if len(encoded) > MAX_RESULT_BYTES:
        message = '%d bytes' % len(encoded)
        channel.send(ERROR, stream_id, {'reason': 'result-too-large', 'message': message, 'stackTrace': ''})
        return
    channel.send(RESULT, stream_id, None, encoded)


def leave(error):
    """The user's code asked to exit: it does, and the invoker sees it."""
    flush()
    code = error.code
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
    os._exit(0 if code is None else code & 0xff if isinstance(code, int) else 1)


def failure(reason):
    import traceback
    kind, error, frames = sys.exc_info()
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    trace = ''.join(traceback.format_exception(kind, error, frames)).rstrip()
    message = ''.join(traceback.format_exception_only(kind, error)).strip()
    return {'reason': reason, 'message': shown(message), 'stackTrace': shown(trace)}


def shown(text):
    """Any bytes as text."""
    return text.decode('utf-8', 'replace')[:MAX_TEXT]


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # The user's code may have closed or replaced it.


def main():
    sys.stdout = sys.__stdout__ = os.fdopen(1, 'w', 0)
    sys.stderr = sys.__stderr__ = os.fdopen(2, 'w', 0)
    # The folder of this file is no place for the user's imports.
    del sys.path[0]
    channel = Channel(CHANNEL)
    channel.send(HELLO, 0, {'protocol': 1, 'runtime': 'python', 'version': sys.version.split()[0]})
    handler = None
    static_context = {}
    while True:
        kind, stream_id, head, body = channel.receive()
        if kind == INVOKE:
            invoke(channel, stream_id, handler, Context(static_context, **head), body)
        elif kind == INIT:
            sys.argv = [head['handler']]
            static_context = head['context']
            handler = initialize(channel, head)


if __name__ == '__main__':
    main()
