package openscf;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON to Map (in order), List, String, Boolean, null and Integer, Long, BigInteger or Double. */
final class JsonReader {
    private static final int MAX_DEPTH = 1000;
    private final String text;
    private int at;
    private int depth;

    private JsonReader(String text) {
        this.text = text;
    }

    /** @throws JsonException with the place of what is wrong */
    static Object read(byte[] json) {
        return read(new String(json, StandardCharsets.UTF_8));
    }

    static Object read(String json) {
        JsonReader reader = new JsonReader(json);
        reader.skipSpace();
        Object value = reader.value();
        reader.skipSpace();
        if (reader.at < json.length()) throw reader.wrong();
        return value;
    }

    private Object value() {
        if (at >= text.length()) throw wrong();
        switch (text.charAt(at)) {
            case '{': return object();
            case '[': return array();
            case '"': return string();
            case 't': return word("true", Boolean.TRUE);
            case 'f': return word("false", Boolean.FALSE);
            case 'n': return word("null", null);
            default: return number();
        }
    }

    private Map<String, Object> object() {
        Map<String, Object> object = new LinkedHashMap<String, Object>();
        enter();
        if (ends('}')) return object;
        for (;;) {
            if (at >= text.length() || text.charAt(at) != '"') throw wrong();
            String key = string();
            skipSpace();
            expect(':');
            skipSpace();
            object.put(key, value());
            skipSpace();
            if (ends('}')) return object;
            expect(',');
            skipSpace();
        }
    }

    private List<Object> array() {
        List<Object> array = new ArrayList<Object>();
        enter();
        if (ends(']')) return array;
        for (;;) {
            array.add(value());
            skipSpace();
            if (ends(']')) return array;
            expect(',');
            skipSpace();
        }
    }

    private void enter() {
        at++;
        if (++depth > MAX_DEPTH) throw new JsonException("it is nested deeper than " + MAX_DEPTH);
        skipSpace();
    }

    private boolean ends(char end) {
        if (at >= text.length() || text.charAt(at) != end) return false;
        at++;
        depth--;
        return true;
    }

    private String string() {
        int start = ++at;
        for (; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c == '"') return text.substring(start, at++);
            if (c == '\\') return escapedString(start);
            if (c < ' ') throw wrong();
        }
        throw wrong();
    }

    private String escapedString(int start) {
        StringBuilder built = new StringBuilder(text.length() > start + 64 ? 128 : 64).append(text, start, at);
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '"') return built.toString();
            if (c < ' ') break;
            built.append(c == '\\' ? escape() : c);
        }
        at--;
        throw wrong();
    }

    private char escape() {
        char c = at < text.length() ? text.charAt(at++) : ' ';
        switch (c) {
            case '"': case '\\': case '/': return c;
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'u':
                int code = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
                    if (digit < 0) throw wrong();
                    code = code << 4 | digit;
                    at++;
                }
                return (char) code;
            default:
                at--;
                throw wrong();
        }
    }

    private Object number() {
        int start = at;
        if (peek() == '-') at++;
        int first = at;
        digits();
        if (text.charAt(first) == '0' && at > first + 1) throw wrong();
        boolean whole = true;
        if (peek() == '.') {
            whole = false;
            at++;
            digits();
        }
        if (peek() == 'e' || peek() == 'E') {
            whole = false;
            at++;
            if (peek() == '+' || peek() == '-') at++;
            digits();
        }
        String number = text.substring(start, at);
        if (!whole) {
            double value = Double.parseDouble(number);
            return Double.isInfinite(value) ? (Object) new BigDecimal(number) : (Object) value;
        }
        if (number.length() < 10) return Integer.parseInt(number);
        if (number.length() > 18) {
            BigInteger big = new BigInteger(number);
            return big.bitLength() < 64 ? (Object) big.longValue() : big;
        }
        long value = Long.parseLong(number);
        return value == (int) value ? (Object) (int) value : (Object) value;
    }

    private void digits() {
        int start = at;
        while (peek() >= '0' && peek() <= '9') at++;
        if (at == start) throw wrong();
    }

    private char peek() {
        return at < text.length() ? text.charAt(at) : ' ';
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) throw wrong();
        at += word.length();
        return value;
    }

    private void expect(char c) {
        if (at >= text.length() || text.charAt(at) != c) throw wrong();
        at++;
    }

    private void skipSpace() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
            at++;
        }
    }

    private JsonException wrong() {
        if (at >= text.length()) return new JsonException("unexpected end of the JSON text");
        return new JsonException("unexpected character '" + text.charAt(at) + "' at position " + at);
    }
}
