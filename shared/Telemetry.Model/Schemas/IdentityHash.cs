using System.Buffers.Binary;
using Org.BouncyCastle.Crypto.Digests;

namespace Telemetry.Model.Schemas;

/// <summary>
/// The first 128 bits of SHA-256, computed by managed code. The framework's own SHA-256 would load OpenSSL, 4 MB of
/// memory, into an agent that needs it for nothing else. It is asked once a series and schema, never once a reading.
/// </summary>
internal static class IdentityHash
{
    /// <summary>Of two runs of bytes, one behind the other. The first byte is the highest one of High.</summary>
    public static (ulong High, ulong Low) Of(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        var digest = new Sha256Digest();
        digest.BlockUpdate(first);
        digest.BlockUpdate(second);
        Span<byte> hash = stackalloc byte[32];
        digest.DoFinal(hash);
        return (BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]));
    }
}
