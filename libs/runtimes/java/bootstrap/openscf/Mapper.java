package openscf;

import java.lang.reflect.Array;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/** What JsonReader has read to a value of the type that a handler asks for. */
final class Mapper {
    private Mapper() {}

    /** @throws JsonException that names the place and the type when it does not fit */
    static Object toJava(Object json, Type target, String place) {
        if (target instanceof Class) return toClass(json, (Class<?>) target, null, place);
        if (target instanceof ParameterizedType) {
            ParameterizedType type = (ParameterizedType) target;
            return toClass(json, (Class<?>) type.getRawType(), type.getActualTypeArguments(), place);
        }
        if (target instanceof GenericArrayType)
            return json == null ? null : toArray(json, ((GenericArrayType) target).getGenericComponentType(), place);
        return json; // A type variable or a wildcard: whatever it is.
    }

    private static Object toClass(Object json, Class<?> type, Type[] arguments, String place) {
        if (type.isPrimitive()) {
            if (json == null) return zero(type);
            return toScalar(json, type, place);
        }
        if (json == null) return null;
        if (type == Object.class) return json;
        if (type == String.class || type == CharSequence.class)
            return json instanceof String ? json : JsonWriter.write(json);
        if (type == byte[].class && json instanceof String) return fromBase64((String) json, place);
        if (type.isArray()) return toArray(json, type.getComponentType(), place);
        if (Map.class.isAssignableFrom(type)) return toMap(json, type, arguments, place);
        if (Collection.class.isAssignableFrom(type) || type == Iterable.class)
            return toCollection(json, type, arguments, place);
        if (type.isEnum()) return toEnum(json, type, place);
        if (ObjectShape.isOfJava(type)) return toScalar(json, type, place);
        return toObject(json, type, place);
    }

    private static Object toScalar(Object json, Class<?> type, String place) {
        try {
            if (type == boolean.class || type == Boolean.class) {
                if (json instanceof Boolean) return json;
                if ("true".equals(json) || "false".equals(json)) return Boolean.valueOf((String) json);
            } else if (type == char.class || type == Character.class) {
                if (json instanceof String && ((String) json).length() == 1) return ((String) json).charAt(0);
            } else if (type == Date.class && json instanceof Number) {
                return new Date(((Number) json).longValue());
            } else if (json instanceof Number || json instanceof String) {
                Object number = toNumber(new BigDecimal(json.toString()), type);
                if (number != null) return number;
            }
        } catch (ArithmeticException | NumberFormatException wrong) {
            // Told below.
        }
        throw unfit(json, type, place);
    }

    private static Object toNumber(BigDecimal number, Class<?> type) {
        if (type == int.class || type == Integer.class) return number.intValueExact();
        if (type == long.class || type == Long.class) return number.longValueExact();
        if (type == double.class || type == Double.class) return number.doubleValue();
        if (type == float.class || type == Float.class) return number.floatValue();
        if (type == short.class || type == Short.class) return number.shortValueExact();
        if (type == byte.class || type == Byte.class) return number.byteValueExact();
        if (type == BigInteger.class) return number.toBigIntegerExact();
        if (type == BigDecimal.class || type == Number.class) return number;
        return null;
    }

    private static Object zero(Class<?> type) {
        return Array.get(Array.newInstance(type, 1), 0);
    }

    private static Object fromBase64(String text, String place) {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException wrong) {
            throw new JsonException(place + " is no base64");
        }
    }

    private static Object toArray(Object json, Type element, String place) {
        if (!(json instanceof List)) throw unfit(json, Object[].class, place);
        List<?> list = (List<?>) json;
        Type raw = element instanceof ParameterizedType ? ((ParameterizedType) element).getRawType() : element;
        Object array = Array.newInstance(raw instanceof Class ? (Class<?>) raw : Object.class, list.size());
        for (int i = 0; i < list.size(); i++) Array.set(array, i, toJava(list.get(i), element, place + "[" + i + "]"));
        return array;
    }

    @SuppressWarnings("unchecked")
    private static Object toMap(Object json, Class<?> type, Type[] arguments, String place) {
        if (!(json instanceof Map)) throw unfit(json, type, place);
        Type key = arguments != null && arguments.length == 2 ? arguments[0] : String.class;
        Type value = arguments != null && arguments.length == 2 ? arguments[1] : Object.class;
        Map<Object, Object> map = type.isInterface()
            ? SortedMap.class.isAssignableFrom(type) ? new TreeMap<Object, Object>() : new LinkedHashMap<Object, Object>()
            : (Map<Object, Object>) make(type);
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) json).entrySet()) {
            String inner = place + "." + entry.getKey();
            map.put(toJava(entry.getKey(), key, inner), toJava(entry.getValue(), value, inner));
        }
        return map;
    }

    @SuppressWarnings("unchecked")
    private static Object toCollection(Object json, Class<?> type, Type[] arguments, String place) {
        if (!(json instanceof List)) throw unfit(json, type, place);
        Type element = arguments != null && arguments.length == 1 ? arguments[0] : Object.class;
        Collection<Object> collection;
        if (!type.isInterface()) collection = (Collection<Object>) make(type);
        else if (SortedSet.class.isAssignableFrom(type)) collection = new TreeSet<Object>();
        else if (type.getName().endsWith("Set")) collection = new LinkedHashSet<Object>();
        else if (type.getName().endsWith("Queue") || type.getName().endsWith("Deque")) collection = new ArrayDeque<Object>();
        else collection = new ArrayList<Object>();
        int i = 0;
        for (Object member : (List<?>) json) collection.add(toJava(member, element, place + "[" + i++ + "]"));
        return collection;
    }

    private static Object make(Class<?> type) {
        try {
            return type.getConstructor().newInstance();
        } catch (ReflectiveOperationException error) {
            throw new JsonException(type.getName() + " cannot be made: it has no public constructor without parameters");
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Object toEnum(Object json, Class<?> type, String place) {
        try {
            return Enum.valueOf((Class) type, String.valueOf(json));
        } catch (IllegalArgumentException unknown) {
            throw unfit(json, type, place);
        }
    }

    private static Object toObject(Object json, Class<?> type, String place) {
        if (!(json instanceof Map)) throw unfit(json, type, place);
        try {
            if (Records.is(type)) return Records.make(type, (Map<?, ?>) json);
            ObjectShape shape = ObjectShape.of(type);
            Object object = shape.make();
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) json).entrySet()) {
                ObjectShape.Setter setter = shape.setter((String) entry.getKey());
                if (setter == null) continue;
                String inner = place + "." + entry.getKey();
                setter.set(object, toJava(entry.getValue(), setter.type, inner));
            }
            return object;
        } catch (InvocationTargetException error) {
            throw new JsonException(place + ": " + type.getName() + " threw " + error.getCause());
        } catch (ReflectiveOperationException error) {
            throw new JsonException(place + ": " + type.getName() + " cannot be made: " + error.getMessage());
        }
    }

    private static JsonException unfit(Object json, Class<?> type, String place) {
        String text = JsonWriter.write(json);
        String shown = text.length() > 80 ? text.substring(0, 80) + "…" : text;
        return new JsonException(place + " does not fit " + type.getSimpleName() + ": " + shown);
    }
}
