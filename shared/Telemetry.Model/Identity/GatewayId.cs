using System.Buffers;
using System.IO.Hashing;
using System.Text;

namespace Telemetry.Model.Identity;

/// <summary>
/// The identity of a gateway: 1 to 64 characters of <c>A-Z a-z 0-9 _ -</c>. It is used for authentication, in the MQTT
/// topics and the log's subjects, and determines the partition.
/// </summary>
public readonly record struct GatewayId
{
    /// <summary>The longest id, in characters.</summary>
    public const int LengthMax = 64;

    private static readonly SearchValues<char> Allowed =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    private GatewayId(string value) => Value = value;

    /// <summary>The id as text.</summary>
    public string Value { get; }

    /// <summary>Parses a text as an id; false when it is empty, too long, or has another character.</summary>
    public static bool TryParse(string? text, out GatewayId id)
    {
        var valid = text is { Length: > 0 and <= LengthMax } && !text.AsSpan().ContainsAnyExcept(Allowed);
        id = valid ? new GatewayId(text!) : default;
        return valid;
    }

    /// <summary>Parses a text as an id; throws <see cref="FormatException"/> that names the rule otherwise.</summary>
    public static GatewayId Parse(string? text) => TryParse(text, out var id)
        ? id
        : throw new FormatException(
            $"'{text}' is not a gateway id: 1 to {LengthMax} characters of A-Z a-z 0-9 _ - are allowed.");

    /// <summary>XxHash64(UTF-8 id) mod <paramref name="partitions"/>: the unit of order and of scaling out.</summary>
    public int Partition(int partitions)
    {
        Span<byte> utf8 = stackalloc byte[LengthMax];
        var length = Encoding.ASCII.GetBytes(Value, utf8);
        return (int)(XxHash64.HashToUInt64(utf8[..length]) % (ulong)partitions);
    }

    /// <inheritdoc/>
    public override string ToString() => Value ?? "";
}
