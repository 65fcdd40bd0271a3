using System.Globalization;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.Generator;

/// <summary>
/// One made-up series: a seeded random walk of some kind, with now and then a null, a doubtful quality, and the values
/// that pipelines like to damage (-0.0, NaN with a payload, infinities, the ends of the integer ranges, empty text).
/// Makes a reading without allocating.
/// </summary>
internal sealed class GeneratorSeries
{
    /// <summary>How many kinds there are: two of floats, both integers, bool, text.</summary>
    public const int Kinds = 6;

    private const int NullEvery = 97;
    private const int DoubtEvery = 53;
    private const int OddValueEvery = 211;
    private static readonly byte[][] Texts =
    [
        "running"u8.ToArray(), "idle"u8.ToArray(), "störung ⚠"u8.ToArray(), [], "quote ' \" \\ tab \t"u8.ToArray(),
        new byte[300],
    ];

    private static readonly double[] OddFloats =
    [
        -0.0, double.NaN, BitConverter.UInt64BitsToDouble(0x7ff8_0000_dead_beef), double.PositiveInfinity,
        double.NegativeInfinity, double.MaxValue, double.Epsilon, 0.1 + 0.2,
    ];

    private static readonly ulong[] OddIntegers = [0, 1, ulong.MaxValue, long.MaxValue, 1UL << 63];

    private readonly int _index;
    private readonly int _kind;
    private readonly Random _random;
    private readonly int _unstorableTextEvery;
    private double _float = 20;
    private ulong _integer;

    static GeneratorSeries() => Texts[^1].AsSpan().Fill((byte)'x');

    private GeneratorSeries(int index, int kind, Random random, int unstorableTextEvery)
    {
        _index = index;
        _kind = kind;
        _random = random;
        _unstorableTextEvery = unstorableTextEvery;
    }

    /// <summary>The definition of the generator's series number <paramref name="number"/>.</summary>
    public static SeriesDefinition Define(GeneratorOptions options, int number)
    {
        var kind = number % options.SeriesPerDevice % Kinds;
        var definition = new SeriesDefinition
        {
            Device = string.Create(CultureInfo.InvariantCulture, $"device-{number / options.SeriesPerDevice}"),
            Metric = string.Create(
                CultureInfo.InvariantCulture, $"{Metric(kind)}-{number % options.SeriesPerDevice / Kinds}"),
            Type = Type(kind),
            Unit = kind switch { 0 => "Cel", 1 => "bar", _ => "" },
            Decimals = kind == 0 ? (byte)2 : SeriesDefinition.DecimalsUnknown,
        };
        return kind == 1
            ? definition with { Labels = [new Label("site", "north"), new Label("valve", "a b")] } : definition;
    }

    /// <summary>
    /// The maker of that series' readings; <paramref name="index"/> is its place in the gateway's list.
    /// </summary>
    public static GeneratorSeries Of(GeneratorOptions options, int number, int index) => new(
        index,
        number % options.SeriesPerDevice % Kinds,
        new Random(unchecked((options.Seed * 31_337) + number)),
        options.UnstorableTextEvery);

    /// <summary>Adds the next reading.</summary>
    public void Next(ReadingBatch batch, long timeMicros)
    {
        var flags = _random.Next(DoubtEvery) == 0 ? (ReadingFlags)_random.Next(1, 3) : ReadingFlags.None;
        if (_random.Next(NullEvery) == 0)
        {
            batch.Add(_index, timeMicros, 0UL, flags | ReadingFlags.Null);
            return;
        }

        var odd = _random.Next(OddValueEvery) == 0;
        switch (_kind)
        {
            case 0:
                _float = Math.Round(_float + (_random.NextDouble() - 0.5), 2);
                batch.Add(_index, timeMicros, BitConverter.DoubleToUInt64Bits(odd ? OddFloat() : _float), flags);
                break;
            case 1:
                _float += (_random.NextDouble() - 0.5) / 7;
                batch.Add(_index, timeMicros, BitConverter.DoubleToUInt64Bits(odd ? OddFloat() : _float), flags);
                break;
            case 2:
                _integer += (ulong)(_random.Next(21) - 10);
                batch.Add(_index, timeMicros, odd ? OddInteger() : _integer, flags);
                break;
            case 3:
                _integer += (ulong)_random.Next(1000);
                batch.Add(_index, timeMicros, odd ? OddInteger() : _integer, flags);
                break;
            case 4:
                batch.Add(_index, timeMicros, (ulong)_random.Next(2), flags);
                break;
            default:
                batch.AddText(_index, timeMicros, Text(odd), flags);
                break;
        }
    }

    private double OddFloat() => OddFloats[_random.Next(OddFloats.Length)];

    private ulong OddInteger() => OddIntegers[_random.Next(OddIntegers.Length)];

    private ReadOnlySpan<byte> Text(bool odd)
    {
        if (_unstorableTextEvery > 0 && _random.Next(_unstorableTextEvery) == 0)
        {
            return "nul \0 inside"u8;
        }

        return Texts[odd ? _random.Next(Texts.Length) : _random.Next(3)];
    }

    private static string Metric(int kind) => kind switch
    {
        0 => "temperature",
        1 => "pressure",
        2 => "balance",
        3 => "energy",
        4 => "open",
        _ => "state",
    };

    private static MetricType Type(int kind) => kind switch
    {
        0 or 1 => MetricType.Float,
        2 => MetricType.Int,
        3 => MetricType.UInt,
        4 => MetricType.Bool,
        _ => MetricType.Text,
    };
}
