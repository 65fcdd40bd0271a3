using Telemetry.Model.Wire;

namespace Telemetry.Model.Schemas;

/// <summary>A label of a series.</summary>
public readonly record struct Label(string Key, string Value);

/// <summary>
/// One series of a gateway: device, metric and labels identify it together with its type; unit, decimals and extra
/// lateness describe it.
/// </summary>
public sealed record SeriesDefinition
{
    /// <summary>The longest device, metric, unit, label key or label value, in bytes of UTF-8.</summary>
    public const int TextBytesMax = 256;

    /// <summary>The most labels of one series.</summary>
    public const int LabelsMax = 32;

    /// <summary>The value of <see cref="Decimals"/> that means "not known".</summary>
    public const byte DecimalsUnknown = 255;

    /// <summary>The thing that is measured at the gateway's site.</summary>
    public required string Device { get; init; }

    /// <summary>The quantity that is measured.</summary>
    public required string Metric { get; init; }

    /// <summary>Further dimensions, sorted by key (ordinal), no key twice.</summary>
    public IReadOnlyList<Label> Labels { get; init; } = [];

    /// <summary>The type of every value of the series.</summary>
    public MetricType Type { get; init; }

    /// <summary>The unit, UCUM where possible; empty when unknown.</summary>
    public string Unit { get; init; } = "";

    /// <summary>
    /// How many decimals the values of a Float series have, 0 to 15; <see cref="DecimalsUnknown"/> when not known.
    /// </summary>
    public byte Decimals { get; init; } = DecimalsUnknown;

    /// <summary>How much later than others its readings may arrive, in microseconds; 0 for ordinary sources.</summary>
    public long ExtraLatenessMicros { get; init; }

    /// <summary>True when device, metric, labels and type are the same.</summary>
    public bool SameSeries(SeriesDefinition other) =>
        Device == other.Device && Metric == other.Metric && Type == other.Type && Labels.SequenceEqual(other.Labels);

    /// <summary>Writes the definition: identity, unit, decimals, extra lateness.</summary>
    public void Write(WireWriter writer)
    {
        WriteIdentity(writer);
        writer.Text(Unit);
        writer.Byte(Decimals);
        writer.Varint(ExtraLatenessMicros);
    }

    /// <summary>
    /// Reads a definition; throws <see cref="WireFormatException"/> when a rule of this type is broken.
    /// </summary>
    public static SeriesDefinition Read(ref WireReader reader)
    {
        var device = reader.Text(TextBytesMax);
        var metric = reader.Text(TextBytesMax);
        var labels = new Label[reader.Count(LabelsMax, 2)];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = new Label(reader.Text(TextBytesMax), reader.Text(TextBytesMax));
            if (i > 0 && string.CompareOrdinal(labels[i - 1].Key, labels[i].Key) >= 0)
            {
                throw new WireFormatException($"label '{labels[i].Key}' out of order", reader.Offset);
            }
        }

        var type = reader.Byte();
        if (type > (byte)MetricType.Text || device.Length == 0 || metric.Length == 0)
        {
            throw new WireFormatException(
                $"a series with type {type}, device '{device}', metric '{metric}'", reader.Offset);
        }

        return new SeriesDefinition
        {
            Device = device,
            Metric = metric,
            Labels = labels,
            Type = (MetricType)type,
            Unit = reader.Text(TextBytesMax),
            Decimals = reader.Byte(),
            ExtraLatenessMicros = reader.Varint(WireReader.TimeMax),
        };
    }

    internal void WriteIdentity(WireWriter writer)
    {
        writer.Text(Device);
        writer.Text(Metric);
        writer.Varint((ulong)Labels.Count);
        foreach (var label in Labels)
        {
            writer.Text(label.Key);
            writer.Text(label.Value);
        }

        writer.Byte((byte)Type);
    }
}
