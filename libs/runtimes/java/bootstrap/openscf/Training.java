package openscf;

import com.qcloud.scf.runtime.Context;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Does what an instance does, without one, so that the JVM can write down the classes that this takes. */
public final class Training {
    public static final class Event {
        private List<Integer> numbers;
        private Map<String, String> texts;

        public List<Integer> getNumbers() {
            return numbers;
        }

        public void setNumbers(List<Integer> numbers) {
            this.numbers = numbers;
        }

        public Map<String, String> getTexts() {
            return texts;
        }

        public void setTexts(Map<String, String> texts) {
            this.texts = texts;
        }
    }

    private Training() {}

    public static Event handle(Event event, Context context) {
        System.out.println("Request " + context.getRequestId());
        if (event.getNumbers() == null) throw new IllegalStateException("none");
        return event;
    }

    public static void main(String[] arguments) throws IOException {
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        Channel sender = new Channel(null, frames);
        String code = System.getProperty("java.io.tmpdir");
        String init = "{\"handler\":\"openscf.Training::handle\",\"codeRoot\":\"" + code
            + "\",\"context\":{\"memory_limit_in_mb\":128,\"namespace\":\"\\u0064efault\"},\"environment\":{}}";
        sender.send(Channel.INIT, 0, asMap(init));
        for (String event : new String[] {"{\"numbers\":[1,2.5e0,-3],\"texts\":{\"a\":\"b\\n\"},\"none\":[true,null]}", "{}", "{"})
            sender.send(Channel.INVOKE, 1, asMap("{\"request_id\":\"r\"}"), event.getBytes(StandardCharsets.UTF_8));
        ByteArrayOutputStream answers = new ByteArrayOutputStream();
        new Bootstrap(new ByteArrayInputStream(frames.toByteArray()), answers).run();
        JsonWriter.write(Collections.singletonMap("bytes", answers.size()));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> asMap(String json) {
        return (Map<String, Object>) JsonReader.read(json);
    }
}
