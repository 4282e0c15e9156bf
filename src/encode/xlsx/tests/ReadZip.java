import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Prints name, size and SHA-256 of a ZIP file's entries, read from a stream that gives little at a time. */
class ReadZip {
  static class SlowStream extends FilterInputStream {
    SlowStream(InputStream in) {
      super(in);
    }

    @Override
    public int read(byte[] buffer, int offset, int length) throws IOException {
      return super.read(buffer, offset, Math.min(length, 7));
    }
  }

  public static void main(String[] arguments) throws Exception {
    try (ZipInputStream in = new ZipInputStream(new SlowStream(Files.newInputStream(Path.of(arguments[0]))))) {
      for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
        long size = entry.getSize();  // known before the content is read: no data descriptor
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] buffer = new byte[8192];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) digest.update(buffer, 0, n);
        StringBuilder text = new StringBuilder();
        for (byte b : digest.digest()) text.append(String.format("%02x", b));
        System.out.println(entry.getName() + " " + size + " " + text);
      }
    }
  }
}
