package openscf;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Loads the user's classes: from the root of the code, its jars and those in `lib`, the same of layers, and the folders of an
 * unpacked Spring Boot jar. What the function has no class of its own for is looked for in fallback.jar at last.
 */
final class CodeLoader extends URLClassLoader {
    private final URL fallback;
    private ClassLoader last;

    private CodeLoader(List<URL> places, URL fallback) {
        super(places.toArray(new URL[0]), CodeLoader.class.getClassLoader());
        this.fallback = fallback;
    }

    static CodeLoader of(String codeRoot) throws MalformedURLException {
        List<URL> places = new ArrayList<URL>();
        for (String root : new String[] {codeRoot, "/opt"}) {
            addFolder(places, new File(root));
            addFolder(places, new File(root, "BOOT-INF/classes"));
            addJars(places, new File(root, "BOOT-INF/lib"));
            addJars(places, new File(root, "lib"));
        }
        String own = System.getProperty("java.class.path");
        StringBuilder classPath = new StringBuilder(own);
        for (URL place : places) classPath.append(File.pathSeparatorChar).append(place.getPath());
        System.setProperty("java.class.path", classPath.toString());
        File beside = new File(own).getAbsoluteFile().getParentFile();
        return new CodeLoader(places, new File(beside, "fallback.jar").toURI().toURL());
    }

    @Override
    protected Class<?> findClass(String name) throws ClassNotFoundException {
        try {
            return super.findClass(name);
        } catch (ClassNotFoundException missing) {
            if (!name.startsWith("com.fasterxml.jackson.annotation.")) throw missing;
            synchronized (this) {
                if (last == null) last = new URLClassLoader(new URL[] {fallback}, null);
            }
            return last.loadClass(name);
        }
    }

    private static void addFolder(List<URL> places, File folder) throws MalformedURLException {
        if (!folder.isDirectory()) return;
        places.add(folder.toURI().toURL());
        addJars(places, folder);
    }

    private static void addJars(List<URL> places, File folder) throws MalformedURLException {
        String[] names = folder.list();
        if (names == null) return;
        Arrays.sort(names);
        for (String name : names) if (name.endsWith(".jar")) places.add(new File(folder, name).toURI().toURL());
    }
}
