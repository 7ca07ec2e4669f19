# -*- coding: utf-8 -*-
"""Runs a function inside an instance, on Python 2.7. See bootstrap.py, which does the same on Python 3, and ../README.md."""
from __future__ import print_function

import imp
import json
import marshal
import os
import struct
import sys
from _socket import AF_UNIX, SOCK_STREAM, socket

CHANNEL = sys.argv[1] if len(sys.argv) > 1 else '/run/openscf/channel.sock'
HELLO, INIT, READY, INIT_FAILED, INVOKE, RESULT, ERROR, COMPILED = 1, 2, 3, 4, 5, 6, 7, 14
PREAMBLE = struct.Struct('>IBII')
MAX_RESULT_BYTES = 6 * 1024 * 1024
MAX_COMPILED = 24 * 1024 * 1024
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


class Compiled(object):
    """Loads the user's modules with the byte code of a folder (`read`), or collects what it has compiled (`collected`)."""

    def __init__(self, read, roots):
        self._read = read and read.encode('utf-8')
        self._roots = roots
        self.collected = [] if read is None else None
        sys.meta_path.append(self)

    def find_module(self, fullname, path=None):
        """Whatever is not plainly a source file of the user's is left to Python itself."""
        if path is None and fullname in sys.builtin_module_names:
            return None
        for folder in sys.path if path is None else path:
            if not isinstance(folder, str) or not folder.startswith(self._roots) or not os.path.isdir(folder):
                return None
            try:
                opened, found, (_, _, kind) = imp.find_module(fullname.rpartition('.')[2], [folder])
            except ImportError:
                continue
            if opened is not None:
                opened.close()
            if kind == imp.PKG_DIRECTORY:
                return Found(self, found + '/__init__.py', found) if os.path.isfile(found + '/__init__.py') else None
            return Found(self, found, None) if kind == imp.PY_SOURCE else None
        return None

    def run(self, name, path, package=None):
        """Makes a module of a source file. Returns what `import` does."""
        code = self._code(path)
        is_new = name not in sys.modules
        module = sys.modules.setdefault(name, imp.new_module(name))
        module.__file__ = path
        if package is not None:
            module.__path__ = [package]
        try:
            exec(code, module.__dict__)
        except BaseException:
            if is_new:
                sys.modules.pop(name, None)
            raise
        return sys.modules[name]

    def _code(self, path):
        if self._read is not None and path.startswith(self._roots):
            try:
                with open(self._read + path + 'c', 'rb') as compiled:
                    return marshal.loads(compiled.read())
            except (IOError, EOFError, ValueError, TypeError):
                pass  # It is compiled as if there were no cache.
        with open(path, 'U') as source:
            code = compile(source.read(), path, 'exec', 0, True)
        if self.collected is not None and path.startswith(self._roots):
            self.collected.append((path[1:] + 'c', marshal.dumps(code)))
        return code

    def send(self, channel):
        left = MAX_COMPILED
        for name, data in self.collected:
            left -= len(data)
            if left < 0:
                break
            channel.send(COMPILED, 0, {'name': name}, data)
        channel.send(COMPILED, 0, {})
        self.collected = None


class Found(object):
    """A module that was found, as the import statement wants it."""

    def __init__(self, compiled, path, package):
        self._compiled = compiled
        self._path = path
        self._package = package

    def load_module(self, fullname):
        return self._compiled.run(fullname, self._path, self._package)


def load(name, code_root, compiled):
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
    if compiled is None:
        module = imp.load_source(os.path.basename(path), path + '.py')
    else:
        module = compiled.run(os.path.basename(path), path + '.py')
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
    """Returns the handler, or None when the failure has been sent; and what is being compiled, or None."""
    try:
        code_root = head['codeRoot'].encode('utf-8')
        enter(code_root, head.get('environment') or {})
        cache = head.get('compileCache')
        compiled = None if cache is None else Compiled(cache.get('read'), (code_root, '/opt'))
        handler = load(head['handler'], code_root, compiled)
        show_logging()
    except HandlerNotFound as error:
        channel.send(INIT_FAILED, 0, {'reason': 'handler-not-found', 'message': str(error), 'stackTrace': ''})
        return None, None
    except SystemExit as error:
        leave(error)
    except BaseException:
        channel.send(INIT_FAILED, 0, failure('load-failed'))
        return None, None
    channel.send(READY, 0)
    return handler, compiled


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
    # Frames of this file come before those of the user's code, and between them where one module imports another.
    own = [frame for frame in traceback.extract_tb(frames) if frame[0] != __file__]
    message = ''.join(traceback.format_exception_only(kind, error)).strip()
    trace = ''.join(['Traceback (most recent call last):\n'] * bool(own) + traceback.format_list(own)) + message
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
    handler = compiled = None
    static_context = {}
    while True:
        kind, stream_id, head, body = channel.receive()
        if kind == INVOKE:
            invoke(channel, stream_id, handler, Context(static_context, **head), body)
            if compiled is not None and compiled.collected is not None:
                # Behind the first answer: nobody waits for it, and what the first call imports is there too.
                compiled.send(channel)
        elif kind == INIT:
            sys.argv = [head['handler']]
            static_context = head['context']
            handler, compiled = initialize(channel, head)


if __name__ == '__main__':
    main()
