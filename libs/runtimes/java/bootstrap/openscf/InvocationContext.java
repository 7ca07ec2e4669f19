package openscf;

import com.qcloud.scf.runtime.Context;
import java.util.LinkedHashMap;
import java.util.Map;

/** The context of one invocation; its text is the JSON of all fields that SCF gives. */
final class InvocationContext implements Context {
    private final Map<String, Object> fields;

    InvocationContext(Map<String, Object> fixed, Map<String, Object> own) {
        fields = new LinkedHashMap<String, Object>(fixed);
        fields.putAll(own);
    }

    @Override
    public String getRequestId() {
        return String.valueOf(fields.get("request_id"));
    }

    @Override
    public int getTimeLimitInMs() {
        return number("time_limit_in_ms");
    }

    @Override
    public int getMemoryLimitInMb() {
        return number("memory_limit_in_mb");
    }

    @Override
    public String toString() {
        return JsonWriter.write(fields);
    }

    private int number(String name) {
        Object value = fields.get(name);
        return value instanceof Number ? ((Number) value).intValue() : 0;
    }
}
