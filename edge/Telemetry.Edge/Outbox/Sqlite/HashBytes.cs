using System.Buffers.Binary;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>A 128-bit hash as the 16 bytes of a BLOB, little-endian.</summary>
internal static class HashBytes
{
    public static byte[] Of(UInt128 hash)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128LittleEndian(bytes, hash);
        return bytes;
    }

    /// <summary>
    /// Throws <see cref="FormatException"/> when the bytes are not a hash: the content of the file is damaged.
    /// </summary>
    public static UInt128 Read(byte[] bytes) => bytes.Length == 16
        ? BinaryPrimitives.ReadUInt128LittleEndian(bytes)
        : throw new FormatException($"a hash of {bytes.Length} bytes");
}
