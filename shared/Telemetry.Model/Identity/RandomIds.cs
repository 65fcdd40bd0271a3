using System.Buffers.Binary;

namespace Telemetry.Model.Identity;

/// <summary>Ids that must never repeat: epochs, owners' tokens, processes.</summary>
public static class RandomIds
{
    /// <summary>64 random bits, never 0, which means "none".</summary>
    public static ulong NextId(this Random random)
    {
        Span<byte> bytes = stackalloc byte[8];
        while (true)
        {
            random.NextBytes(bytes);
            if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) is not 0 and var id)
            {
                return id;
            }
        }
    }
}
