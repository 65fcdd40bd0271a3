using System.Buffers.Binary;
using System.Security.Cryptography;
using Telemetry.Model.Schemas;

namespace Telemetry.Tests.Model.Schemas;

/// <summary>Identities are SHA-256, whoever computes it.</summary>
public sealed class IdentityHashTests
{
    // FIPS 180-4, of "abc": ba7816bf 8f01cfea 414140de 5dae2223 …
    [Fact]
    public void Standards_example() =>
        Assert.Equal((0xba7816bf8f01cfeaUL, 0x414140de5dae2223UL), IdentityHash.Of("ab"u8, "c"u8));

    [Fact]
    public void Bytes_of_any_length_give_what_the_frameworks_sha256_gives()
    {
        var random = new Random(1);
        for (var length = 0; length < 300; length++)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            var cut = random.Next(length + 1);

            var (high, low) = IdentityHash.Of(bytes.AsSpan(..cut), bytes.AsSpan(cut..));

            var expected = SHA256.HashData(bytes);
            Assert.Equal(BinaryPrimitives.ReadUInt64BigEndian(expected), high);
            Assert.Equal(BinaryPrimitives.ReadUInt64BigEndian(expected.AsSpan(8)), low);
        }
    }
}
