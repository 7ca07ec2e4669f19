"""Marks the lines that a web program prints with the request that they belong to, `\\u0001<request id>\\u0001line`: see
sitecustomize.py, which loads this when the program imports a web server that is known here. Python 3.7 and newer.
"""
import sys
from _contextvars import ContextVar

current = ContextVar('openscf_request', default=None)
state = {'streams': False}


class Request(object):
    """A request, with what it has printed of a line that has not ended."""

    __slots__ = ('mark', 'tails')

    def __init__(self, request_id):
        self.mark = '\x01' + request_id + '\x01'
        self.tails = {}

    def __del__(self):
        for write, tail in list(self.tails.values()):
            try:
                write(self.mark + tail + '\n')
            except Exception:
                pass


def begin(request_id):
    """From now on this context prints for the request."""
    try:
        if not isinstance(request_id, str) or not 0 < len(request_id) <= 128:
            return
        if not state['streams']:
            state['streams'] = True
            mark_stream(sys.stdout)
            mark_stream(sys.stderr)
        current.set(Request(request_id))
    except Exception:
        pass


def mark_stream(stream):
    plain = stream.write
    key = stream.fileno()

    def write(text):
        request = current.get()
        if request is None or not isinstance(text, str):
            return plain(text)
        whole, line_end, tail = text.rpartition('\n')
        _, kept = request.tails.pop(key, (None, ''))
        if not line_end:
            request.tails[key] = (plain, kept + tail)
            return len(text)
        mark = request.mark
        plain(mark + (kept + whole).replace('\n', '\n' + mark) + '\n')
        if tail:
            request.tails[key] = (plain, tail)
        return len(text)

    stream.write = write


def of_lines(lines):
    for name, value in lines or ():
        if isinstance(name, bytes):
            if name.lower() == b'x-scf-request-id':
                return value.decode('latin-1')
        elif name.lower() == 'x-scf-request-id':
            return value
    return None


def around(holder, name, find):
    """Lets find(*arguments) give the request id whenever the method is called."""
    method = getattr(holder, name)

    def wrapped(*args, **kwargs):
        try:
            begin(find(*args, **kwargs))
        except Exception:
            pass
        return method(*args, **kwargs)

    wrapped.__name__ = name
    wrapped.__wrapped__ = method
    setattr(holder, name, wrapped)


def http_server(module):
    parse = module.BaseHTTPRequestHandler.parse_request

    def parse_request(self):
        parsed = parse(self)
        try:
            if parsed:
                begin(self.headers.get('x-scf-request-id'))
        except Exception:
            pass
        return parsed

    module.BaseHTTPRequestHandler.parse_request = parse_request


def gunicorn(module):
    around(module, 'create', lambda request, *rest, **more: of_lines(request.headers))


def gunicorn_asgi(module):
    build = module.ASGIProtocol._build_http_scope

    def build_http_scope(*args, **kwargs):
        scope = build(*args, **kwargs)
        try:
            begin(of_lines(scope['headers']))
        except Exception:
            pass
        return scope

    module.ASGIProtocol._build_http_scope = build_http_scope


def uvicorn(module):
    # Every request runs in a task of its own.
    around(module.RequestResponseCycle, 'run_asgi', lambda cycle, app: of_lines(cycle.scope['headers']))


def waitress(module):
    around(module.WSGITask, 'execute', lambda task: task.request.headers.get('X_SCF_REQUEST_ID'))


def tornado(module):
    around(
        module.RequestHandler, '_execute', lambda handler, *rest: handler.request.headers.get('X-Scf-Request-Id')
    )


def aiohttp(module):
    around(module.Application, '_handle', lambda app, request: request.headers.get('X-Scf-Request-Id'))


def hypercorn(module):
    around(module.ASGIWrapper, '__call__', lambda wrapper, scope, *rest: of_lines(scope.get('headers')))


# What to do with a module when it has been imported; the names are in sitecustomize.py too.
PATCHES = {
    'http.server': http_server,
    'gunicorn.http.wsgi': gunicorn,
    'gunicorn.asgi.protocol': gunicorn_asgi,
    'uvicorn.protocols.http.h11_impl': uvicorn,
    'uvicorn.protocols.http.httptools_impl': uvicorn,
    'waitress.task': waitress,
    'tornado.web': tornado,
    'aiohttp.web_app': aiohttp,
    'hypercorn.app_wrappers': hypercorn,
}
