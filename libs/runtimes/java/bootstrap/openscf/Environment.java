package openscf;

import java.lang.reflect.Field;
import java.util.Map;

/** The variables of the process, to which Java has no door: the map behind `System.getenv()` is written to. */
final class Environment {
    private Environment() {}

    @SuppressWarnings("unchecked")
    static void add(Map<String, Object> variables) throws ReflectiveOperationException {
        Map<String, String> present = System.getenv();
        Map<String, String> behind = null;
        for (Map.Entry<String, Object> variable : variables.entrySet()) {
            String value = String.valueOf(variable.getValue());
            if (value.equals(present.get(variable.getKey()))) continue;
            if (behind == null) {
                Field field = present.getClass().getDeclaredField("m");
                field.setAccessible(true);
                behind = (Map<String, String>) field.get(present);
            }
            behind.put(variable.getKey(), value);
            if (variable.getKey().equals("TZ")) java.util.TimeZone.setDefault(java.util.TimeZone.getTimeZone(value));
        }
    }
}
