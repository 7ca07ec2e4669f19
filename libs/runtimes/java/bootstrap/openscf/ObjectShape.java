package openscf;

import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** How objects of a class are read and written as JSON: found out once per class. */
final class ObjectShape {
    /** A JSON member that is written. */
    static final class Getter {
        final String name;
        private final Member member;

        Getter(String name, Member member) {
            this.name = name;
            this.member = member;
        }

        Object get(Object object) {
            try {
                return member instanceof Field ? ((Field) member).get(object) : ((Method) member).invoke(object);
            } catch (InvocationTargetException error) {
                throw new JsonException(member.getName() + "() of " + object.getClass().getName() + " threw " + error.getCause());
            } catch (IllegalAccessException error) {
                throw new JsonException(error.getMessage());
            }
        }
    }

    /** A JSON member that is read. */
    static final class Setter {
        final Type type;
        private final Member member;

        Setter(Type type, Member member) {
            this.type = type;
            this.member = member;
        }

        void set(Object object, Object value) throws ReflectiveOperationException {
            if (member instanceof Field) ((Field) member).set(object, value);
            else ((Method) member).invoke(object, value);
        }
    }

    private static final Map<Class<?>, ObjectShape> SHAPES = new HashMap<Class<?>, ObjectShape>();

    private final Class<?> type;
    private final Map<String, Setter> setters = new HashMap<String, Setter>();
    private final Map<String, Getter> getters = new LinkedHashMap<String, Getter>();
    /** Names that annotations give: property → JSON name. */
    private final Map<String, String> renamed = new HashMap<String, String>();

    private ObjectShape(Class<?> type) {
        this.type = type;
        List<Field> fields = new ArrayList<Field>();
        for (Class<?> at = type; at != null && at != Object.class; at = at.getSuperclass())
            for (Field field : at.getDeclaredFields())
                if (!Modifier.isStatic(field.getModifiers()) && !field.isSynthetic()) fields.add(field);
        for (Field field : fields) rename(field.getName(), field);
        Method[] methods = type.getMethods();
        for (Method method : methods) addMethod(method);
        for (Field field : fields) addField(field);
    }

    static synchronized ObjectShape of(Class<?> type) {
        ObjectShape shape = SHAPES.get(type);
        if (shape == null) SHAPES.put(type, shape = new ObjectShape(type));
        return shape;
    }

    /** Classes of Java itself have no members that are meant for JSON. */
    static boolean isOfJava(Class<?> type) {
        String name = type.getName();
        return name.startsWith("java.") || name.startsWith("javax.") || name.startsWith("sun.") || name.startsWith("jdk.");
    }

    Collection<Getter> getters() {
        return getters.values();
    }

    /** By the name, else by the name in any case; null when there is none. */
    Setter setter(String name) {
        Setter setter = setters.get(name);
        return setter != null ? setter : setters.get(name.toLowerCase(Locale.ROOT));
    }

    Object make() throws ReflectiveOperationException {
        Constructor<?> constructor = type.getDeclaredConstructor();
        constructor.setAccessible(true);
        return constructor.newInstance();
    }

    private void addMethod(Method method) {
        if (Modifier.isStatic(method.getModifiers()) || method.isBridge() || method.getDeclaringClass() == Object.class) return;
        String name = method.getName();
        int parameters = method.getParameterTypes().length;
        if (parameters == 1 && name.length() > 3 && name.startsWith("set")) {
            method.setAccessible(true);
            String property = rename(property(name.substring(3)), method);
            addSetter(property, new Setter(method.getGenericParameterTypes()[0], method));
        } else if (parameters == 0 && method.getReturnType() != void.class) {
            boolean isBoolean = method.getReturnType() == boolean.class;
            int prefix = name.startsWith("get") ? 3 : name.startsWith("is") && isBoolean ? 2 : 0;
            boolean ofRecord = prefix == 0 && Records.isComponent(type, name);
            if (!ofRecord && (prefix == 0 || name.length() == prefix)) return;
            method.setAccessible(true);
            String property = rename(ofRecord ? name : property(name.substring(prefix)), method);
            getters.put(property, new Getter(property, method));
        }
    }

    private void addField(Field field) {
        String name = rename(field.getName(), field);
        boolean isPublic = Modifier.isPublic(field.getModifiers());
        boolean isNamed = renamed.containsKey(field.getName());
        boolean isTransient = Modifier.isTransient(field.getModifiers());
        if (isTransient || isOfJava(field.getDeclaringClass())) return;
        field.setAccessible(true);
        if (!Modifier.isFinal(field.getModifiers()) && !setters.containsKey(name))
            addSetter(name, new Setter(field.getGenericType(), field));
        if ((isPublic || isNamed) && !getters.containsKey(name)) getters.put(name, new Getter(name, field));
    }

    private void addSetter(String name, Setter setter) {
        setters.put(name, setter);
        String lower = name.toLowerCase(Locale.ROOT);
        if (!setters.containsKey(lower)) setters.put(lower, setter);
    }

    private String rename(String property, AnnotatedElement element) {
        for (Annotation annotation : element.getAnnotations()) {
            String type = annotation.annotationType().getName();
            if (!type.equals("com.fasterxml.jackson.annotation.JsonProperty")
                && !type.equals("com.google.gson.annotations.SerializedName")) continue;
            try {
                Object value = annotation.annotationType().getMethod("value").invoke(annotation);
                if (!"".equals(value)) renamed.put(property, (String) value);
            } catch (ReflectiveOperationException ignored) {
                // Another annotation of the same name.
            }
        }
        String name = renamed.get(property);
        return name == null ? property : name;
    }

    /** `Key1` → `key1`, `URL` → `url`, as Jackson names properties. */
    private static String property(String name) {
        char[] letters = name.toCharArray();
        for (int i = 0; i < letters.length && Character.isUpperCase(letters[i]); i++)
            letters[i] = Character.toLowerCase(letters[i]);
        return new String(letters);
    }
}
