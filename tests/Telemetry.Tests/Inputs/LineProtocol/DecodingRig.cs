using System.Globalization;
using System.Text;
using Telemetry.Edge.Outbox;
using Telemetry.Inputs.LineProtocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Inputs.LineProtocol;

/// <summary>A decoder over an outbox, and readings in short words.</summary>
internal sealed class DecodingRig
{
    public const long Now = 777_000_000;

    private static readonly PartLimits OneLine = PartLimits.None with { Lines = 1 };

    private readonly LineErrors _errors = new();
    private readonly ReadingBatch _line = new();
    private readonly ReadingOutbox _outbox;

    public DecodingRig(ReadingOutbox outbox, int cacheMax = 1024, int lineBytesMax = 1024)
    {
        _outbox = outbox;
        Cache = new SeriesCache(outbox, OutboxRig.Gateway, "device", cacheMax);
        Decoder = new LineDecoder(Cache, lineBytesMax);
    }

    public SeriesCache Cache { get; }

    public LineDecoder Decoder { get; }

    public ReadingBatch Batch { get; } = new();

    /// <summary>Decodes a body whole; readings and errors in the order of their lines.</summary>
    public List<string> Decode(string body, TimePrecision? precision = null) => Decode(Bytes(body), precision);

    public List<string> Decode(byte[] body, TimePrecision? precision = null)
    {
        Batch.Clear();
        var told = new List<string>();
        for (var at = BodyPosition.Start; at.Offset < body.Length;)
        {
            // Line by line, so that readings and errors come in the lines' order.
            var before = Batch.Count;
            _errors.Clear();
            _line.Clear();
            (at, _) = Decoder.Decode(body, at, precision ?? TimePrecision.Nanoseconds, Now, OneLine, _line, _errors);
            for (var row = 0; row < _line.Count; row++)
            {
                Batch.AddFrom(_line, row, _outbox.Series.Types[_line.Series[row]]);
                told.Add(Describe(before + row));
            }

            if (_errors.Count > 0)
            {
                told.Add(_errors.Text);
            }
        }

        return told;
    }

    public static byte[] Bytes(string body)
    {
        // A lone surrogate stands for a byte that is no UTF-8.
        var bytes = new List<byte>();
        foreach (var rune in body.EnumerateRunes())
        {
            if (rune == Rune.ReplacementChar)
            {
                bytes.Add(0x80);
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(rune.ToString()));
            }
        }

        return [.. bytes];
    }

    private string Describe(int row)
    {
        var series = _outbox.Series.Entries[Batch.Series[row]].Definition;
        var bits = Batch.Bits[row];
        var value = series.Type switch
        {
            MetricType.Float =>
                "float:" + BitConverter.UInt64BitsToDouble(bits).ToString("R", CultureInfo.InvariantCulture),
            MetricType.Int => $"int:{(long)bits}",
            MetricType.UInt => $"uint:{bits}",
            MetricType.Bool => $"bool:{bits}",
            _ => "string:" + Encoding.UTF8.GetString(Batch.Text(bits)),
        };
        var labels = string.Join(',', series.Labels.Select(l => $"{l.Key}={l.Value}"));
        var time = Batch.Times[row] == Now
            ? LineProtocolCases.Now : Batch.Times[row].ToString(CultureInfo.InvariantCulture);
        return $"{series.Device}|{labels}|{series.Metric}|{value}|{time}";
    }
}
