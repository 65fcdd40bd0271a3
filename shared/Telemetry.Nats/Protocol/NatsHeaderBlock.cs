using System.Buffers.Text;

namespace Telemetry.Nats;

/// <summary>One header line as views into the block.</summary>
internal readonly ref struct NatsHeaderLine
{
    public required ReadOnlySpan<byte> Name { get; init; }

    public required ReadOnlySpan<byte> Value { get; init; }

    public void Deconstruct(out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = Name;
        value = Value;
    }
}

/// <summary>
/// Walks a header block without allocating.
/// <code>
/// NATS/1.0[ status[ description]]␍␊
/// (name:value␍␊)*
/// ␍␊
/// </code>
/// </summary>
internal ref struct NatsHeaderBlock
{
    private static ReadOnlySpan<byte> Version => "NATS/1.0"u8;

    private ReadOnlySpan<byte> _rest;
    private NatsHeaderLine _current;

    public NatsHeaderBlock(ReadOnlySpan<byte> block)
    {
        var line = TakeLine(ref block);
        if (!line.StartsWith(Version) || !block.EndsWith("\r\n"u8))
        {
            throw new NatsProtocolException("Header block without NATS/1.0 or without its empty line");
        }

        var status = line[Version.Length..].Trim((byte)' ');
        if (status.Length >= 3)
        {
            if (!Utf8Parser.TryParse(status[..3], out int code, out var used) || used != 3)
            {
                throw new NatsProtocolException("Status of a header block is no number");
            }

            Status = code;
            Description = status[3..].Trim((byte)' ');
        }

        _rest = block;
    }

    /// <summary>0 without one; 100 heartbeat, 404, 408, 409, 503.</summary>
    public int Status { get; }

    /// <summary>The words behind the status.</summary>
    public ReadOnlySpan<byte> Description { get; }

    public readonly NatsHeaderLine Current => _current;

    public readonly NatsHeaderBlock GetEnumerator() => this;

    public bool MoveNext()
    {
        var line = TakeLine(ref _rest);
        if (line.IsEmpty)
        {
            return _rest.IsEmpty ? false : throw new NatsProtocolException("Bytes behind the end of a header block");
        }

        var colon = line.IndexOf((byte)':');
        if (colon <= 0)
        {
            throw new NatsProtocolException("Header line without a name");
        }

        _current = new() { Name = line[..colon], Value = line[(colon + 1)..].Trim(" \t"u8) };
        return true;
    }

    /// <summary>The first value of that name; false if there is none.</summary>
    public static bool TryFind(ReadOnlySpan<byte> block, ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        foreach (var line in new NatsHeaderBlock(block))
        {
            if (line.Name.SequenceEqual(name))
            {
                value = line.Value;
                return true;
            }
        }

        value = default;
        return false;
    }

    private static ReadOnlySpan<byte> TakeLine(scoped ref ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOf("\r\n"u8);
        if (end < 0)
        {
            throw new NatsProtocolException("Header line without CR LF");
        }

        var line = rest[..end];
        rest = rest[(end + 2)..];
        return line;
    }
}
