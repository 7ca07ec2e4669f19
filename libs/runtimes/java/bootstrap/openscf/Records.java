package openscf;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Records, which Java has since version 16: without naming anything that Java 8 does not have. */
final class Records {
    private Records() {}

    static boolean is(Class<?> type) {
        return type.getSuperclass() != null && type.getSuperclass().getName().equals("java.lang.Record");
    }

    static boolean isComponent(Class<?> type, String name) {
        if (!is(type)) return false;
        for (Field field : components(type)) if (field.getName().equals(name)) return true;
        return false;
    }

    static Object make(Class<?> type, Map<?, ?> json) throws ReflectiveOperationException {
        List<Field> components = components(type);
        Class<?>[] types = new Class<?>[components.size()];
        Object[] values = new Object[components.size()];
        for (int i = 0; i < types.length; i++) {
            Field component = components.get(i);
            types[i] = component.getType();
            Type generic = component.getGenericType();
            values[i] = Mapper.toJava(json.get(component.getName()), generic, component.getName());
        }
        Constructor<?> constructor = type.getDeclaredConstructor(types);
        constructor.setAccessible(true);
        return constructor.newInstance(values);
    }

    private static List<Field> components(Class<?> type) {
        List<Field> components = new ArrayList<Field>();
        for (Field field : type.getDeclaredFields())
            if (!Modifier.isStatic(field.getModifiers())) components.add(field);
        return components;
    }
}
