<?php
/**
 * Runs a function inside an instance: loads its handler and calls it for each invocation. See ../README.md for the protocol.
 * Depends on nothing but PHP's own core (7.4 or newer). The loop is at the end of the file, outside of all functions: what the
 * user's file sets when it is loaded has to be global.
 */
namespace openscf;

/** Longest text of a message or a trace that is sent. */
const MAX_TEXT = 65536;
const MAX_RESULT_BYTES = 6 * 1024 * 1024;
const PREAMBLE_BYTES = 13;
const HELLO = 1, INIT = 2, READY = 3, INIT_FAILED = 4, INVOKE = 5, RESULT = 6, ERROR = 7;
const FATAL = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;

/** A JSON object. SCF's handlers write `$event->key`, others `$event['key']`: both read it. */
class Record extends \stdClass implements \ArrayAccess, \Countable
{
    #[\ReturnTypeWillChange]
    public function offsetExists($key)
    {
        return isset($this->{$key});
    }

    #[\ReturnTypeWillChange]
    public function &offsetGet($key)
    {
        if (property_exists($this, (string) $key)) {
            return $this->{$key};
        }
        trigger_error("Undefined array key \"$key\"", E_USER_NOTICE);
        $nothing = null;
        return $nothing;
    }

    #[\ReturnTypeWillChange]
    public function offsetSet($key, $value)
    {
        $this->{$key} = $value;
    }

    #[\ReturnTypeWillChange]
    public function offsetUnset($key)
    {
        unset($this->{$key});
    }

    #[\ReturnTypeWillChange]
    public function count()
    {
        return count(get_object_vars($this));
    }

    /** Takes what `json_decode` returns. */
    public static function of($value)
    {
        if (is_array($value)) {
            return array_map([self::class, 'of'], $value);
        }
        if (!is_object($value)) {
            return $value;
        }
        $record = new self();
        foreach ($value as $key => $member) {
            $record->{$key} = is_scalar($member) ? $member : self::of($member);
        }
        return $record;
    }
}

class HandlerNotFound extends \Exception
{
}

/** Frames: u32 length of the rest | u8 kind | u32 stream id | u32 head length | head (JSON) | body. */
final class Channel
{
    private $socket;

    public function __construct(string $path)
    {
        $this->socket = stream_socket_client("unix://$path");
        if ($this->socket === false) {
            exit(1);
        }
        stream_set_timeout($this->socket, 86400 * 365);
    }

    /** Returns [kind, stream id, head, body]. Without its channel an instance is of no use: the invoker has given it up. */
    public function receive(): array
    {
        $preamble = unpack('Nlength/Ckind/Nstream/Nhead', $this->read(PREAMBLE_BYTES));
        $head = $this->read($preamble['head']);
        $body = $this->read($preamble['length'] - (PREAMBLE_BYTES - 4) - $preamble['head']);
        return [$preamble['kind'], $preamble['stream'], json_decode($head), $body];
    }

    public function send(int $kind, int $stream, array $head = [], string $body = ''): void
    {
        $text = json_encode((object) $head, JSON_INVALID_UTF8_SUBSTITUTE);
        $length = PREAMBLE_BYTES - 4 + strlen($text) + strlen($body);
        $frame = pack('NCNN', $length, $kind, $stream, strlen($text)) . $text . $body;
        for ($written = 0; $written < strlen($frame); $written += $bytes) {
            $bytes = fwrite($this->socket, $written === 0 ? $frame : substr($frame, $written));
            if ($bytes === false || $bytes === 0) {
                leave();
            }
        }
    }

    private function read(int $bytes): string
    {
        if ($bytes === 0) {
            return '';
        }
        $read = stream_get_contents($this->socket, $bytes);
        while (strlen($read) < $bytes) {
            if (feof($this->socket)) {
                leave();
            }
            $read .= stream_get_contents($this->socket, $bytes - strlen($read));
        }
        return $read;
    }
}

function leave(): void
{
    Running::$phase = 'left';
    exit(0);
}

/** What the process is at, for an end that comes without an exception. */
final class Running
{
    /** waiting, loading, invoking or left. */
    public static $phase = 'waiting';
    public static $stream = 0;
    public static $handler;
    public static $context = [];
    /** @var Channel */
    public static $channel;
}

// ---- initialization ----

/** Takes on what is known only now, and returns the file to be loaded. The code may have been mounted after the start. */
function enter(object $head): string
{
    clearstatcache(true);
    chdir($head->codeRoot);
    set_include_path('.' . PATH_SEPARATOR . $head->codeRoot);
    foreach ($head->environment ?? [] as $name => $value) {
        putenv("$name=$value");
        $_ENV[$name] = $_SERVER[$name] = $value;
    }
    Running::$context = (array) $head->context;
    $dot = strrpos($head->handler, '.');
    if (!$dot || $dot === strlen($head->handler) - 1) {
        throw new HandlerNotFound("the handler is \"$head->handler\"; accepted is file.function");
    }
    $name = substr($head->handler, 0, $dot);
    $file = "$head->codeRoot/" . preg_replace('{^\./}', '', $name) . '.php';
    if (!is_file($file)) {
        throw new HandlerNotFound("the file of the handler \"$head->handler\" does not exist: $name.php");
    }
    return $file;
}

/** The function of the handler, of the file that has been loaded: a function or `Class::method`. */
function find(string $handler): callable
{
    $dot = strrpos($handler, '.');
    $name = substr($handler, $dot + 1);
    if (is_callable($name)) {
        return $name;
    }
    $file = substr($handler, 0, $dot);
    throw new HandlerNotFound("the function \"$name\" of the handler \"$handler\" is not defined in $file.php");
}

function loadFailure(\Throwable $error): array
{
    if ($error instanceof HandlerNotFound) {
        return ['reason' => 'handler-not-found', 'message' => $error->getMessage(), 'stackTrace' => ''];
    }
    return failure('load-failed', $error);
}

// ---- invocations ----

function invoke(int $stream, object $head, string $body): void
{
    $event = json_decode($body);
    if (json_last_error() !== JSON_ERROR_NONE) {
        fail($stream, 'event-not-json', json_last_error_msg());
        return;
    }
    Running::$stream = $stream;
    Running::$phase = 'invoking';
    try {
        $context = Record::of((object) ((array) $head + Running::$context));
        $result = (Running::$handler)(Record::of($event), $context);
        flushOutput();
    } catch (\Throwable $error) {
        flushOutput();
        Running::$channel->send(ERROR, $stream, failure('exception', $error));
        return;
    } finally {
        Running::$phase = 'waiting';
    }
    $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION;
    $encoded = json_encode($result, $flags);
    if ($encoded === false) {
        fail($stream, 'result-not-json', 'the return value of the handler cannot be encoded as JSON: ' . json_last_error_msg());
    } elseif (strlen($encoded) > MAX_RESULT_BYTES) {
        fail($stream, 'result-too-large', strlen($encoded) . ' bytes');
    } else {
        Running::$channel->send(RESULT, $stream, [], $encoded);
    }
}

function fail(int $stream, string $reason, string $message): void
{
    Running::$channel->send(ERROR, $stream, ['reason' => $reason, 'message' => $message, 'stackTrace' => '']);
}

/** What was printed must be out before the result is. */
function flushOutput(): void
{
    while (ob_get_level() > 0 && ob_end_flush());
    fflush(STDOUT);
    fflush(STDERR);
}

// ---- errors, as the user's own code caused them ----

function failure(string $reason, \Throwable $error): array
{
    $message = get_class($error) . ': ' . $error->getMessage();
    $trace = [];
    for ($at = $error; $at !== null; $at = $at->getPrevious()) {
        $trace[] = ($at === $error ? '' : 'caused by ') . get_class($at) . ': ' . $at->getMessage();
        if ($at->getFile() !== __FILE__) {
            $trace[] = "    at {$at->getFile()}:{$at->getLine()}";
        }
        foreach ($at->getTrace() as $frame) {
            if (isset($frame['file']) && $frame['file'] !== __FILE__) {
                $name = ($frame['class'] ?? '') . ($frame['type'] ?? '') . $frame['function'];
                $trace[] = "    at {$frame['file']}:{$frame['line']} in $name";
            }
        }
    }
    return [
        'reason' => $reason,
        'message' => substr($message, 0, MAX_TEXT),
        'stackTrace' => substr(implode("\n", $trace), 0, MAX_TEXT),
    ];
}

// A fatal error ends the process without an exception; what the user's own exit() does, the invoker sees.
register_shutdown_function(function () {
    $error = error_get_last();
    if ($error === null || !($error['type'] & FATAL) || !in_array(Running::$phase, ['loading', 'invoking'], true)) {
        return;
    }
    flushOutput();
    $isLoading = Running::$phase === 'loading';
    Running::$channel->send($isLoading ? INIT_FAILED : ERROR, Running::$stream, [
        'reason' => $isLoading ? 'load-failed' : 'exception',
        'message' => substr($error['message'], 0, MAX_TEXT),
        'stackTrace' => substr("{$error['message']}\n    at {$error['file']}:{$error['line']}", 0, MAX_TEXT),
        'recycle' => true,
    ]);
});

Running::$channel = new Channel($argv[1] ?? '/run/openscf/channel.sock');
Running::$channel->send(HELLO, 0, ['protocol' => 1, 'runtime' => 'php', 'version' => PHP_VERSION]);
for (;;) {
    $openscf = Running::$channel->receive();
    if ($openscf[0] === INVOKE) {
        invoke($openscf[1], $openscf[2], $openscf[3]);
    } elseif ($openscf[0] === INIT) {
        Running::$phase = 'loading';
        try {
            require_once enter($openscf[2]);
            Running::$handler = find($openscf[2]->handler);
            Running::$channel->send(READY, 0);
        } catch (\Throwable $error) {
            flushOutput();
            Running::$channel->send(INIT_FAILED, 0, loadFailure($error));
        }
        Running::$phase = 'waiting';
    }
    unset($openscf);
}
