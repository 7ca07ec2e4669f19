package openscf;

import com.qcloud.scf.runtime.Context;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/**
 * The user's method `package.Class::method`: `(event)`, `(event, Context)`, `(Context)`, `()`, or
 * `(InputStream, OutputStream[, Context])`.
 */
final class Handler {
    static final class NotFound extends Exception {
        private static final long serialVersionUID = 1;

        NotFound(String message) {
            super(message, null, false, false);
        }
    }

    private final Method method;
    private final Object object;
    private final Class<?>[] types;

    private Handler(Method method, Object object) {
        this.method = method;
        this.object = object;
        this.types = method.getParameterTypes();
    }

    /** Loads the class and makes an object of it. Throws what the user's code throws. */
    static Handler load(String name, ClassLoader loader) throws Throwable {
        int colons = name.indexOf("::");
        if (colons <= 0 || colons + 2 == name.length())
            throw new NotFound("the handler is \"" + name + "\"; accepted is package.Class::method");
        String className = name.substring(0, colons);
        Class<?> type;
        try {
            type = Class.forName(className, true, loader);
        } catch (ClassNotFoundException missing) {
            throw new NotFound("the class of the handler \"" + name + "\" does not exist: " + className);
        } catch (ExceptionInInitializerError error) {
            throw error.getCause() != null ? error.getCause() : error;
        }
        Method method = find(type, name.substring(colons + 2));
        if (method == null)
            throw new NotFound("the handler \"" + name + "\" is no method of " + className
                + " that takes an event and a Context, or an InputStream, an OutputStream and a Context");
        method.setAccessible(true);
        if (Modifier.isStatic(method.getModifiers())) return new Handler(method, null);
        try {
            return new Handler(method, ObjectShape.of(type).make());
        } catch (NoSuchMethodException missing) {
            throw new NotFound("the class of the handler \"" + name + "\" has no constructor without parameters");
        } catch (InstantiationException isAbstract) {
            throw new NotFound("the class of the handler \"" + name + "\" is abstract");
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
    }

    /** The method that takes the most: those of the class itself go before what it has inherited. */
    private static Method find(Class<?> type, String name) {
        Method best = null;
        for (Class<?> at = type; at != null; at = at.getSuperclass())
            for (Method method : at.getDeclaredMethods()) {
                if (!method.getName().equals(name) || method.isBridge() || method.isSynthetic() || !isTakeable(method)) continue;
                if (best == null || method.getParameterTypes().length > best.getParameterTypes().length) best = method;
            }
        if (best != null) return best;
        for (Method method : type.getMethods()) // Default methods of interfaces.
            if (method.getName().equals(name) && !method.isBridge() && isTakeable(method)) return method;
        return null;
    }

    private static boolean isTakeable(Method method) {
        Class<?>[] types = method.getParameterTypes();
        if (isStream(types)) return types.length == 2 || types.length == 3 && types[2].isAssignableFrom(Context.class);
        return types.length <= 1 || types.length == 2 && types[1].isAssignableFrom(Context.class);
    }

    private static boolean isStream(Class<?>[] types) {
        return types.length >= 2 && types[0] == InputStream.class && types[1] == OutputStream.class;
    }

    /** Returns the result as JSON. Throws JsonException for a result without a JSON form, and what the user's method throws. */
    byte[] call(byte[] event, Object parsed, InvocationContext context) throws Throwable {
        if (isStream(types)) {
            ByteArrayOutputStream output = new ByteArrayOutputStream();
            InputStream input = new ByteArrayInputStream(event);
            invoke(types.length == 2 ? new Object[] {input, output} : new Object[] {input, output, context});
            return asJson(output.toByteArray());
        }
        Object result = invoke(arguments(parsed, context));
        if (result instanceof Future) {
            try {
                result = ((Future<?>) result).get();
            } catch (ExecutionException error) {
                throw error.getCause();
            }
        }
        return JsonWriter.write(result).getBytes(StandardCharsets.UTF_8);
    }

    private Object[] arguments(Object event, InvocationContext context) {
        Object[] arguments = new Object[types.length];
        Type[] generic = method.getGenericParameterTypes();
        for (int i = 0; i < types.length; i++) {
            boolean isContext = types[i] == Context.class || i == 1;
            try {
                arguments[i] = isContext ? context : Mapper.toJava(event, generic[i], "event");
            } catch (JsonException wrong) {
                throw new IllegalArgumentException(wrong.getMessage());
            }
        }
        return arguments;
    }

    private Object invoke(Object[] arguments) throws Throwable {
        try {
            return method.invoke(object, arguments);
        } catch (InvocationTargetException error) {
            throw error.getCause();
        }
    }

    /** What a stream handler has written: JSON as it is, nothing as null, any other text as a string. */
    private static byte[] asJson(byte[] written) {
        if (written.length == 0) return "null".getBytes(StandardCharsets.UTF_8);
        try {
            JsonReader.read(written);
            return written;
        } catch (JsonException isText) {
            String text = new String(written, StandardCharsets.UTF_8);
            return JsonWriter.write(text).getBytes(StandardCharsets.UTF_8);
        }
    }
}
