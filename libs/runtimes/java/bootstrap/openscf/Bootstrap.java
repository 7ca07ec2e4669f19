package openscf;

import java.io.ByteArrayInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Runs a function inside an instance: loads its handler and calls it for each invocation. See ../../README.md for the
 * protocol. The channel is standard input, both ways: ../../launcher has opened it. Depends on nothing but Java 8.
 */
public final class Bootstrap {
    private static final int MAX_RESULT_BYTES = 6 * 1024 * 1024;

    private final Channel channel;
    private Handler handler;
    private Map<String, Object> fixedContext = Collections.emptyMap();

    Bootstrap(InputStream input, OutputStream output) {
        channel = new Channel(input, output);
    }

    public static void main(String[] arguments) {
        InputStream input = new FileInputStream(FileDescriptor.in);
        OutputStream output = new FileOutputStream(FileDescriptor.in);
        System.setIn(new ByteArrayInputStream(new byte[0]));
        try {
            new Bootstrap(input, output).run();
        } catch (IOException gone) {
            // Without its channel an instance is of no use: the invoker is gone or has given it up.
        }
        Runtime.getRuntime().halt(0);
    }

    /** Returns when the channel has ended. */
    void run() throws IOException {
        Map<String, Object> hello = new LinkedHashMap<String, Object>();
        hello.put("protocol", 1);
        hello.put("runtime", "java");
        hello.put("version", System.getProperty("java.version"));
        channel.send(Channel.HELLO, 0, hello);
        for (Channel.Frame frame = channel.receive(); frame != null; frame = channel.receive()) {
            if (frame.kind == Channel.INVOKE) invoke(frame);
            else if (frame.kind == Channel.INIT) initialize(frame.head);
        }
    }

    @SuppressWarnings("unchecked")
    private void initialize(Map<String, Object> head) throws IOException {
        Map<String, Object> failure = null;
        try {
            String codeRoot = (String) head.get("codeRoot");
            System.setProperty("user.dir", codeRoot);
            if (head.get("environment") != null) Environment.add((Map<String, Object>) head.get("environment"));
            fixedContext = (Map<String, Object>) head.get("context");
            ClassLoader loader = CodeLoader.of(codeRoot);
            Thread.currentThread().setContextClassLoader(loader);
            handler = Handler.load((String) head.get("handler"), loader);
        } catch (Handler.NotFound missing) {
            failure = Failure.of("handler-not-found", missing.getMessage());
        } catch (Throwable error) {
            failure = Failure.of("load-failed", error);
        }
        flush();
        if (failure == null) channel.send(Channel.READY, 0, null);
        else channel.send(Channel.INIT_FAILED, 0, failure);
    }

    private void invoke(Channel.Frame frame) throws IOException {
        Map<String, Object> failure;
        byte[] result = null;
        Object event;
        try {
            event = JsonReader.read(frame.body);
        } catch (JsonException wrong) {
            channel.send(Channel.ERROR, frame.streamId, Failure.of("event-not-json", wrong.getMessage()));
            return;
        }
        try {
            result = handler.call(frame.body, event, new InvocationContext(fixedContext, frame.head));
            failure = result.length <= MAX_RESULT_BYTES ? null : Failure.of("result-too-large", result.length + " bytes");
        } catch (JsonException wrong) {
            failure = Failure.of("result-not-json",
                "the return value of the handler cannot be encoded as JSON: " + wrong.getMessage());
        } catch (Throwable error) {
            failure = Failure.of("exception", error);
        }
        flush();
        if (failure == null) channel.send(Channel.RESULT, frame.streamId, null, result);
        else channel.send(Channel.ERROR, frame.streamId, failure);
    }

    /** What was printed must be out before the result is. */
    private static void flush() {
        System.out.flush();
        System.err.flush();
    }
}
