package openscf;

import java.util.LinkedHashMap;
import java.util.Map;

/** An error as it is sent: with the frames of the user's own code. */
final class Failure {
    /** Longest text of a message or a trace that is sent. */
    private static final int MAX_TEXT = 64 * 1024;
    private static final int MAX_CAUSES = 10;

    private Failure() {}

    static Map<String, Object> of(String reason, String message) {
        return of(reason, message, "", false);
    }

    static Map<String, Object> of(String reason, Throwable error) {
        StringBuilder trace = new StringBuilder();
        Throwable at = error;
        for (int i = 0; at != null && i < MAX_CAUSES && trace.length() < MAX_TEXT; i++, at = at.getCause()) {
            if (i > 0) trace.append("\nCaused by: ");
            trace.append(text(at));
            for (StackTraceElement frame : at.getStackTrace())
                if (isOwn(frame.getClassName())) trace.append("\n\tat ").append(frame);
        }
        boolean recycle = error instanceof VirtualMachineError && !(error instanceof StackOverflowError);
        return of(reason, text(error), trace.toString(), recycle);
    }

    private static Map<String, Object> of(String reason, String message, String trace, boolean recycle) {
        Map<String, Object> failure = new LinkedHashMap<String, Object>();
        failure.put("reason", reason);
        failure.put("message", shorten(message));
        failure.put("stackTrace", shorten(trace));
        failure.put("recycle", recycle);
        return failure;
    }

    /** The error's own toString() may fail. */
    private static String text(Throwable error) {
        try {
            return error.toString();
        } catch (Throwable broken) {
            return error.getClass().getName();
        }
    }

    private static boolean isOwn(String className) {
        return !className.startsWith("openscf.") && !className.startsWith("java.lang.reflect.")
            && !className.startsWith("jdk.internal.") && !className.startsWith("sun.reflect.");
    }

    private static String shorten(String text) {
        return text.length() > MAX_TEXT ? text.substring(0, MAX_TEXT) : text;
    }
}
