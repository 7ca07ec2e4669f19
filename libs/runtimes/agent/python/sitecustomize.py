"""Found by Python at its start (PYTHONPATH): lets a web program mark the lines that it prints with the request that they belong
to. The agent's web server sends the request's id in X-Scf-Request-Id. See ../../README.md.

It must not be noticed: it is small because every start compiles it, a web server is patched (request_marks.py) when the program
imports it, the program's own sitecustomize is loaded, and whatever fails leaves the program as it would be.
"""
import sys

_FOLDER = __file__[:-len('/sitecustomize.py')]
_SERVERS = {
    'http.server', 'gunicorn.http.wsgi', 'gunicorn.asgi.protocol', 'uvicorn.protocols.http.h11_impl',
    'uvicorn.protocols.http.httptools_impl', 'waitress.task', 'tornado.web', 'aiohttp.web_app', 'hypercorn.app_wrappers',
}


class _Finder(object):
    """First in line for imports; only looks at the names above."""

    marks = {}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name not in _SERVERS:
            return None
        _SERVERS.discard(name)
        for finder in sys.meta_path:
            find = getattr(finder, 'find_spec', None)
            spec = find(name, path, target) if find is not None and finder is not cls else None
            if spec is not None:
                return cls.patched(spec, name)
        return None

    @classmethod
    def patched(cls, spec, name):
        try:
            if not cls.marks:
                with open(_FOLDER + '/request_marks.py') as source:
                    exec(compile(source.read(), source.name, 'exec'), cls.marks)
            execute, patch = spec.loader.exec_module, cls.marks['PATCHES'][name]

            def exec_module(module):
                execute(module)
                try:
                    patch(module)
                except Exception:
                    pass

            # Of this loader only: each module has its own.
            spec.loader.exec_module = exec_module
        except Exception:
            pass
        return spec


if sys.version_info >= (3, 7):
    sys.meta_path.insert(0, _Finder)
if _FOLDER in sys.path:
    # Hands over to the sitecustomize that this one hides.
    sys.path.remove(_FOLDER)
    _this = sys.modules.pop('sitecustomize', None)
    try:
        import sitecustomize  # noqa: F401
    except ImportError as _error:
        if getattr(_error, 'name', None) not in (None, 'sitecustomize'):
            raise
        sys.modules['sitecustomize'] = _this
