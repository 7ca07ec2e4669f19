package com.fasterxml.jackson.annotation;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;

/**
 * Stands in for Jackson's own annotation when the function does not bring Jackson: the vendor's event classes name their
 * properties with it, and a JVM drops annotations whose class it cannot find.
 */
@Retention(RetentionPolicy.RUNTIME)
public @interface JsonProperty {
    String value() default "";
}
