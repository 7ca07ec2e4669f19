package openscf;

/** A text is not JSON, a value has no JSON form, or JSON does not fit the type that is asked for; the message says why. */
final class JsonException extends RuntimeException {
    private static final long serialVersionUID = 1;

    JsonException(String message) {
        super(message, null, false, false);
    }
}
