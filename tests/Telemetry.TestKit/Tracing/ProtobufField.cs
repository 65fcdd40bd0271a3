using System.Buffers.Binary;
using System.Text;

namespace Telemetry.TestKit.Tracing;

/// <summary>
/// One field of a Protocol Buffers message (encoding guide, "Message Structure"): its number, and its value as a number
/// (varint, fixed32, fixed64) or as bytes (length-delimited).
/// </summary>
public readonly record struct ProtobufField(int Number, ulong Value, ReadOnlyMemory<byte> Bytes)
{
    private const int Varint = 0, Fixed64 = 1, Delimited = 2, Fixed32 = 5;

    public string Text => Encoding.UTF8.GetString(Bytes.Span);

    /// <summary>The bytes as hex.</summary>
    public string Hex => Convert.ToHexStringLower(Bytes.Span);

    /// <summary>The fields of the message that this one holds.</summary>
    public IEnumerable<ProtobufField> Inner => Read(Bytes);

    /// <summary>
    /// The fields of a message in their order; throws <see cref="FormatException"/> for what is none.
    /// </summary>
    public static IEnumerable<ProtobufField> Read(ReadOnlyMemory<byte> message)
    {
        while (!message.IsEmpty)
        {
            var tag = ReadVarint(ref message);
            var number = (int)(tag >> 3);
            switch ((int)(tag & 7))
            {
                case Varint:
                    yield return new ProtobufField(number, ReadVarint(ref message), default);
                    break;
                case Fixed64:
                    yield return new ProtobufField(
                        number, BinaryPrimitives.ReadUInt64LittleEndian(Take(ref message, 8).Span), default);
                    break;
                case Delimited:
                    var length = ReadVarint(ref message);
                    yield return new ProtobufField(number, 0, Take(ref message, (int)Math.Min(length, int.MaxValue)));
                    break;
                case Fixed32:
                    yield return new ProtobufField(
                        number, BinaryPrimitives.ReadUInt32LittleEndian(Take(ref message, 4).Span), default);
                    break;
                default:
                    throw new FormatException($"field {number} has the wire type {tag & 7}");
            }
        }
    }

    private static ReadOnlyMemory<byte> Take(ref ReadOnlyMemory<byte> message, int length)
    {
        if (length > message.Length)
        {
            throw new FormatException($"{length} bytes are announced, {message.Length} are left");
        }

        var taken = message[..length];
        message = message[length..];
        return taken;
    }

    private static ulong ReadVarint(ref ReadOnlyMemory<byte> message)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(ref message, 1).Span[0];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw new FormatException("a varint of more than 10 bytes");
    }
}
