package com.qcloud.scf.runtime;

/** SCF's context of an invocation, as the vendor's library `com.tencentcloudapi:scf-java-events` declares it. */
public interface Context {
    String getRequestId();

    int getTimeLimitInMs();

    int getMemoryLimitInMb();
}
