package openscf;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;

/** Frames: u32 length of the rest | u8 kind | u32 stream id | u32 head length | head (JSON) | body. */
final class Channel {
    static final int HELLO = 1, INIT = 2, READY = 3, INIT_FAILED = 4, INVOKE = 5, RESULT = 6, ERROR = 7;
    private static final byte[] NOTHING = new byte[0];

    /** What the invoker has sent. */
    static final class Frame {
        int kind;
        int streamId;
        Map<String, Object> head;
        byte[] body;
    }

    private final DataInputStream input;
    private final OutputStream output;

    Channel(InputStream input, OutputStream output) {
        this.input = new DataInputStream(input);
        this.output = output;
    }

    /** Returns null when the invoker has gone. */
    @SuppressWarnings("unchecked")
    Frame receive() throws IOException {
        byte[] preamble = new byte[13];
        try {
            input.readFully(preamble);
        } catch (EOFException gone) {
            return null;
        }
        int headBytes = readInt(preamble, 9);
        byte[] head = new byte[headBytes];
        byte[] body = new byte[readInt(preamble, 0) - 9 - headBytes];
        input.readFully(head);
        input.readFully(body);
        Frame frame = new Frame();
        frame.kind = preamble[4];
        frame.streamId = readInt(preamble, 5);
        frame.head = (Map<String, Object>) JsonReader.read(head);
        frame.body = body;
        return frame;
    }

    void send(int kind, int streamId, Map<String, ?> head) throws IOException {
        send(kind, streamId, head, NOTHING);
    }

    void send(int kind, int streamId, Map<String, ?> head, byte[] body) throws IOException {
        byte[] headBytes = JsonWriter.write(head == null ? Collections.emptyMap() : head)
            .getBytes(StandardCharsets.UTF_8);
        byte[] frame = new byte[13 + headBytes.length + body.length];
        writeInt(frame, 0, frame.length - 4);
        frame[4] = (byte) kind;
        writeInt(frame, 5, streamId);
        writeInt(frame, 9, headBytes.length);
        System.arraycopy(headBytes, 0, frame, 13, headBytes.length);
        System.arraycopy(body, 0, frame, 13 + headBytes.length, body.length);
        output.write(frame);
        output.flush();
    }

    private static int readInt(byte[] bytes, int at) {
        return (bytes[at] & 255) << 24 | (bytes[at + 1] & 255) << 16 | (bytes[at + 2] & 255) << 8 | bytes[at + 3] & 255;
    }

    private static void writeInt(byte[] bytes, int at, int value) {
        bytes[at] = (byte) (value >>> 24);
        bytes[at + 1] = (byte) (value >>> 16);
        bytes[at + 2] = (byte) (value >>> 8);
        bytes[at + 3] = (byte) value;
    }
}
