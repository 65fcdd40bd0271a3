using System.Buffers.Binary;
using System.IO.Hashing;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Bytes followed by an XxHash64 of them, as frames contain it themselves. Bytes from the disk are used only if it
/// matches.
/// </summary>
internal static class CheckedBytes
{
    private const int HashBytes = 8;

    public static byte[] Seal(ReadOnlySpan<byte> bytes)
    {
        var result = new byte[bytes.Length + HashBytes];
        bytes.CopyTo(result);
        BinaryPrimitives.WriteUInt64LittleEndian(result.AsSpan(bytes.Length), XxHash64.HashToUInt64(bytes));
        return result;
    }

    public static bool IsIntact(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= HashBytes
        && BinaryPrimitives.ReadUInt64LittleEndian(bytes[^HashBytes..]) == XxHash64.HashToUInt64(bytes[..^HashBytes]);

    /// <summary>The bytes that were sealed; null when they are missing or damaged.</summary>
    public static byte[]? Open(byte[]? bytes) => bytes is not null && IsIntact(bytes) ? bytes[..^HashBytes] : null;
}
