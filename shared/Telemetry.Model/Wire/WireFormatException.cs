namespace Telemetry.Model.Wire;

/// <summary>Bytes from a peer or a file do not follow the format. Never transient: the same bytes fail again.</summary>
public sealed class WireFormatException(string what, int offset) : FormatException($"{what} (at byte {offset})")
{
    /// <summary>The offset in the bytes at which the error was found.</summary>
    public int Offset { get; } = offset;
}
