using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.LineProtocol;

/// <summary>
/// One field of a line: where its key stands in the body, and its value. Of a text the bits say where it stands in the
/// body (offset, length), the quotes not included.
/// </summary>
internal struct LineField
{
    public int KeyOffset;
    public int KeyLength;
    public MetricType Type;
    public ulong Bits;

    /// <summary>The text has escapes.</summary>
    public bool Escaped;

    /// <summary>Its series, once that is known.</summary>
    public int Series;
}

/// <summary>The fields of the line that was read last. Reused: a warm one allocates nothing.</summary>
internal sealed class LineFields
{
    private LineField[] _fields = new LineField[16];

    public int Count { get; private set; }

    public Span<LineField> All => _fields.AsSpan(0, Count);

    /// <summary>The bytes of its texts as they stand there.</summary>
    public long TextBytes()
    {
        var bytes = 0L;
        foreach (ref readonly var field in All)
        {
            bytes += field.Type == MetricType.Text ? (uint)field.Bits : 0;
        }

        return bytes;
    }

    public void Clear() => Count = 0;

    public ref LineField Add()
    {
        if (Count == _fields.Length)
        {
            Array.Resize(ref _fields, Count * 2);
        }

        return ref _fields[Count++];
    }
}

/// <summary>One line: measurement and tags as they stand there, and its timestamp where it has one.</summary>
internal struct Line
{
    /// <summary>Its number in the body, from 1.</summary>
    public int Number;

    public int HeadOffset;
    public int HeadLength;
    public bool HasTime;
    public long Time;

    /// <summary>What is wrong with it; null: nothing, as far as it can be seen without knowing its series.</summary>
    public string? Error;
}
