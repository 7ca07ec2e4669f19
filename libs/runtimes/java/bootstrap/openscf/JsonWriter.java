package openscf;

import java.lang.reflect.Array;
import java.util.Base64;
import java.util.Date;
import java.util.Map;
import java.util.Optional;

/** Values to JSON: collections, and objects by their getters and public fields. */
final class JsonWriter {
    private static final int MAX_DEPTH = 500;
    private static final char[] HEX = "0123456789abcdef".toCharArray();
    private final StringBuilder json = new StringBuilder(256);
    private int depth;

    /** @throws JsonException when a value has no JSON form */
    static String write(Object value) {
        JsonWriter writer = new JsonWriter();
        writer.value(value);
        return writer.json.toString();
    }

    private void value(Object value) {
        if (value == null) json.append("null");
        else if (value instanceof CharSequence || value instanceof Character) string(value.toString());
        else if (value instanceof Boolean) json.append(value);
        else if (value instanceof Number) number((Number) value);
        else if (value instanceof Map) object((Map<?, ?>) value);
        else if (value instanceof Iterable) array((Iterable<?>) value);
        else if (value instanceof byte[]) string(Base64.getEncoder().encodeToString((byte[]) value));
        else if (value.getClass().isArray()) elements(value);
        else if (value instanceof Enum) string(((Enum<?>) value).name());
        else if (value instanceof Date) json.append(((Date) value).getTime());
        else if (value instanceof Optional) value(((Optional<?>) value).orElse(null));
        else if (ObjectShape.isOfJava(value.getClass())) string(value.toString());
        else members(value);
    }

    private void number(Number number) {
        double value = number.doubleValue();
        if ((number instanceof Double || number instanceof Float) && (Double.isNaN(value) || Double.isInfinite(value)))
            throw new JsonException("it holds the number " + number);
        json.append(number);
    }

    private void object(Map<?, ?> map) {
        enter('{');
        boolean first = true;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            if (!first) json.append(',');
            first = false;
            string(String.valueOf(entry.getKey()));
            json.append(':');
            value(entry.getValue());
        }
        leave('}');
    }

    private void array(Iterable<?> elements) {
        enter('[');
        boolean first = true;
        for (Object element : elements) {
            if (!first) json.append(',');
            first = false;
            value(element);
        }
        leave(']');
    }

    private void elements(Object array) {
        enter('[');
        for (int i = 0, length = Array.getLength(array); i < length; i++) {
            if (i > 0) json.append(',');
            value(Array.get(array, i));
        }
        leave(']');
    }

    private void members(Object object) {
        enter('{');
        boolean first = true;
        for (ObjectShape.Getter getter : ObjectShape.of(object.getClass()).getters()) {
            if (!first) json.append(',');
            first = false;
            string(getter.name);
            json.append(':');
            value(getter.get(object));
        }
        leave('}');
    }

    private void enter(char begin) {
        if (++depth > MAX_DEPTH)
            throw new JsonException("it holds itself, or is nested deeper than " + MAX_DEPTH);
        json.append(begin);
    }

    private void leave(char end) {
        depth--;
        json.append(end);
    }

    private void string(String text) {
        json.append('"');
        for (int i = 0, length = text.length(); i < length; i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') json.append('\\').append(c);
            else if (c == '\n') json.append("\\n");
            else if (c < ' ' || Character.isSurrogate(c) && !isPaired(text, i)) escape(c);
            else json.append(c);
        }
        json.append('"');
    }

    /** A surrogate on its own has no UTF-8 form. */
    private static boolean isPaired(String text, int i) {
        if (Character.isHighSurrogate(text.charAt(i)))
            return i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1));
        return i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }

    private void escape(char c) {
        json.append("\\u").append(HEX[c >> 12]).append(HEX[c >> 8 & 15]).append(HEX[c >> 4 & 15]).append(HEX[c & 15]);
    }
}
