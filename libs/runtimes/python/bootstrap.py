"""Runs a function inside an instance: loads its handler and calls it for each invocation. See ../README.md for the protocol.

Depends on nothing but Python's own library (3.6 or newer), and imports little of it: every cold start pays for it, and every
idle instance holds it. start.py is what is run.
"""
import _json
import _socket
import io
import os
import sys

CHANNEL = sys.argv[1] if len(sys.argv) > 1 else '/run/openscf/channel.sock'
HELLO, INIT, READY, INIT_FAILED, INVOKE, RESULT, ERROR, COMPILED = 1, 2, 3, 4, 5, 6, 7, 14
PREAMBLE_BYTES = 13
MAX_RESULT_BYTES = 6 * 1024 * 1024
MAX_COMPILED = 24 * 1024 * 1024
# Longest text of a message or a trace that is sent.
MAX_TEXT = 64 * 1024


class Context(dict):
    """SCF's context: a dict whose fields can also be read as attributes."""

    # It is pickled by this name.
    __module__ = '__main__'

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name)


class HandlerNotFound(Exception):
    pass


# ---- JSON by json's own compiled parts: the rest of it, and the regular expressions that it needs, are a megabyte ----

class ScannerOptions:
    """json's defaults, as json.JSONDecoder hands them to its scanner."""
    strict = True
    object_hook = object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = {name: float(name) for name in ('-Infinity', 'Infinity', 'NaN')}.__getitem__


def read_json(text):
    """json.loads. Raises ValueError."""
    if 'json' not in sys.modules:
        try:
            stripped = text.strip(' \t\n\r')
            value, end = _json.make_scanner(ScannerOptions)(stripped, 0)
            if end == len(stripped):
                return value
        except (StopIteration, ValueError, SystemError):
            pass  # json tells what is wrong, and where: some versions can say nothing (SystemError) without it.
    import json
    return json.loads(text)


def write_json(value, ensure_ascii=True):
    """json.dumps without NaN and infinities. The user's code may have changed what json does: then it does all of it."""
    if 'json' not in sys.modules:
        text = _json.encode_basestring_ascii if ensure_ascii else _json.encode_basestring
        try:
            # Circular references, default, text, indent, separators, sort_keys, skipkeys, allow_nan.
            return ''.join(_json.make_encoder({}, refuse, text, None, ': ', ', ', False, False, False)(value, 0))
        except (TypeError, ValueError):
            pass  # json tells what cannot be encoded.
    import json
    return json.dumps(value, ensure_ascii=ensure_ascii, allow_nan=False)


def refuse(value):
    raise TypeError


# ---- frames: u32 length of the rest | u8 kind | u32 stream id | u32 head length | head (JSON) | body ----

class Channel:
    def __init__(self, path):
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        self._socket.connect(path)
        self._input = io.open(self._socket.fileno(), 'rb', buffering=64 * 1024, closefd=False)

    def receive(self):
        """Returns (kind, stream id, head, body), or None when the invoker has gone."""
        preamble = self._input.read(PREAMBLE_BYTES)
        if len(preamble) < PREAMBLE_BYTES:
            return None
        head_bytes = int.from_bytes(preamble[9:13], 'big')
        body_bytes = int.from_bytes(preamble[0:4], 'big') - (PREAMBLE_BYTES - 4) - head_bytes
        head = self._input.read(head_bytes)
        body = self._input.read(body_bytes)
        if len(head) < head_bytes or len(body) < body_bytes:
            return None
        return preamble[4], int.from_bytes(preamble[5:9], 'big'), read_json(head.decode('utf-8')), body

    def send(self, kind, stream_id, head=None, body=b''):
        # Escaped to ASCII, so that text with lone surrogates cannot break it.
        head = b'{}' if head is None else write_json(head).encode('ascii')
        length = PREAMBLE_BYTES - 4 + len(head) + len(body)
        self._socket.sendall(b''.join((
            length.to_bytes(4, 'big'), bytes((kind,)), stream_id.to_bytes(4, 'big'), len(head).to_bytes(4, 'big'),
            head, body)))


# ---- initialization ----

def load(name, code_root):
    """Finds the function behind `folder/file.method`: the method is what follows the last dot."""
    file, dot, method = name.rpartition('.')
    if not file or not method:
        raise HandlerNotFound('the handler is "%s"; accepted is file.method' % name)
    if file.startswith('./'):
        file = file[2:]
    if '/' in file:
        # Modules beside the handler are found as they are beside a handler in the root.
        sys.path.append(os.path.join(code_root, os.path.dirname(file)))
    module_name = file.replace('/', '.')
    try:
        __import__(module_name)
    except ImportError as error:
        missing = getattr(error, 'name', None)
        if missing and (module_name == missing or module_name.startswith(missing + '.')):
            raise HandlerNotFound('the file of the handler "%s" does not exist: %s.py' % (name, file))
        raise
    handler = getattr(sys.modules[module_name], method, None)
    if not callable(handler):
        what = 'is not defined in' if handler is None else 'is not a function in'
        raise HandlerNotFound('the method "%s" of the handler "%s" %s %s.py' % (method, name, what, file))
    return handler


def show_logging():
    """Lets `logging` reach the function's log when the user's code uses it and has not set it up itself."""
    logging = sys.modules.get('logging')
    if logging is None or logging.getLogger().handlers:
        return
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter('[%(levelname)s] %(message)s'))
    logging.getLogger().addHandler(handler)


def enter(code_root, environment):
    """Takes on what is known only now. The code may have been mounted after the start: only a fresh look sees it."""
    os.chdir(code_root)
    os.environ.update(environment)
    if 'TZ' in environment:
        import time
        time.tzset()
    if code_root not in sys.path:
        sys.path.insert(0, code_root)
    for path in list(sys.path_importer_cache):
        if path.startswith((code_root, '/opt')):
            del sys.path_importer_cache[path]


def keep_compiled(cache, roots):
    """Takes the byte code of the user's modules from a folder, or collects it: returns the list that it comes to."""
    loading = sys.modules['_frozen_importlib_external']
    own_place = loading.cache_from_source
    folder = cache.get('read', '/nowhere')

    def cache_from_source(path, *args, **kwargs):
        return folder + path + 'c' if path.startswith(roots) else own_place(path, *args, **kwargs)

    loading.cache_from_source = cache_from_source
    if 'read' in cache:
        return None
    collected = []
    write = loading.SourceFileLoader.set_data
    # The cache is of this very code: whether it fits needs no look at the source, whose times are those of its unpacking.
    unchecked = (1).to_bytes(4, 'little') + bytes(8)

    def set_data(loader, path, data, **options):
        if path.startswith(folder):
            collected.append((path[len(folder) + 1:], bytes(data[:4]) + unchecked + bytes(data[16:])))
        else:
            write(loader, path, data, **options)

    loading.SourceFileLoader.set_data = set_data
    # Where it is not allowed to write, nothing is lost but the attempt.
    sys.dont_write_bytecode = False
    return collected


def send_compiled(channel, collected):
    sys.dont_write_bytecode = True
    left = MAX_COMPILED
    for name, data in collected:
        left -= len(data)
        if left < 0:
            break
        channel.send(COMPILED, 0, {'name': name}, data)
    channel.send(COMPILED, 0, {})


def initialize(channel, head):
    """Returns the handler, or None when the failure has been sent; and what is being compiled, or None."""
    code_root = head['codeRoot']
    enter(code_root, head.get('environment') or {})
    collected = None
    if head.get('compileCache') is not None and sys.version_info >= (3, 7):
        collected = keep_compiled(head['compileCache'], (code_root + '/', '/opt/'))
    try:
        handler = load(head['handler'], code_root)
        show_logging()
    except HandlerNotFound as error:
        channel.send(INIT_FAILED, 0, {'reason': 'handler-not-found', 'message': str(error), 'stackTrace': ''})
        return None, None
    except SystemExit as error:
        leave(error)
    except BaseException as error:
        channel.send(INIT_FAILED, 0, failure('load-failed', error))
        return None, None
    channel.send(READY, 0)
    return handler, collected


# ---- invocations ----

def invoke(channel, stream_id, handler, context, body):
    try:
        event = read_json(body.decode('utf-8'))
    except ValueError as error:
        channel.send(ERROR, stream_id, {'reason': 'event-not-json', 'message': str(error), 'stackTrace': ''})
        return
    try:
        result = handler(event, context)
    except SystemExit as error:
        leave(error)
    except BaseException as error:
        flush()
        channel.send(ERROR, stream_id, failure('exception', error))
        return
    flush()
    try:
        encoded = encode(result)
    except Exception as error:
        message = 'the return value of the handler cannot be encoded as JSON: %s' % error
        channel.send(ERROR, stream_id, {'reason': 'result-not-json', 'message': message, 'stackTrace': ''})
        return
    if len(encoded) > MAX_RESULT_BYTES:
        message = '%d bytes' % len(encoded)
        channel.send(ERROR, stream_id, {'reason': 'result-too-large', 'message': message, 'stackTrace': ''})
        return
    channel.send(RESULT, stream_id, None, encoded)


def encode(value):
    try:
        return write_json(value, ensure_ascii=False).encode('utf-8')
    except UnicodeEncodeError:
        # Lone surrogates have no UTF-8 form, but an escaped one.
        return write_json(value).encode('ascii')


def leave(error):
    """The user's code asked to exit: it does, and the invoker sees it."""
    flush()
    code = error.code
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
    os._exit(0 if code is None else code & 0xff if isinstance(code, int) else 1)


# ---- errors, as the user's own code caused them ----

def failure(reason, error):
    import traceback
    # Frames of this file and of the import system come before those of the user's code.
    frames = error.__traceback__
    while frames is not None and is_foreign(frames.tb_frame.f_code.co_filename):
        frames = frames.tb_next
    try:
        trace = ''.join(traceback.format_exception(type(error), error, frames))
        message = ''.join(traceback.format_exception_only(type(error), error)).strip()
    except Exception:
        # The error's own __str__ may fail.
        trace = message = type(error).__name__
    return {'reason': reason, 'message': message[:MAX_TEXT], 'stackTrace': trace.rstrip()[:MAX_TEXT]}


def is_foreign(file_name):
    return file_name == __file__ or file_name.startswith('<frozen ')


# ---- output: each write leaves the process at once ----

def unbuffered(descriptor):
    raw = io.FileIO(descriptor, 'w', closefd=False)
    return io.TextIOWrapper(raw, encoding='utf-8', errors='backslashreplace', newline='\n', write_through=True)


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # The user's code may have closed or replaced it.


def main():
    sys.stdout = sys.__stdout__ = unbuffered(1)
    sys.stderr = sys.__stderr__ = unbuffered(2)
    channel = Channel(CHANNEL)
    channel.send(HELLO, 0, {'protocol': 1, 'runtime': 'python', 'version': sys.version.split()[0]})
    handler = collected = None
    static_context = {}
    while True:
        frame = channel.receive()
        if frame is None:
            os._exit(0)
        kind, stream_id, head, body = frame
        if kind == INVOKE:
            invoke(channel, stream_id, handler, Context(static_context, **head), body)
            if collected is not None:
                # Behind the first answer: nobody waits for it, and what the first call imports is there too.
                send_compiled(channel, collected)
                collected = None
        elif kind == INIT:
            sys.argv = [head['handler']]
            static_context = head['context']
            handler, collected = initialize(channel, head)
