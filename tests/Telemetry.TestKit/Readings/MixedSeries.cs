using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;

namespace Telemetry.TestKit.Readings;

/// <summary>
/// What a gateway of a plant sends: of each ten series six of decimals with two places, two counters, a bool and
/// doubles of 24 significant bits. Stamps are microseconds, either exactly regular or up to 2 ms late, each reading for
/// itself.
/// </summary>
internal sealed class MixedSeries
{
    private const int JitterMicros = 2000;

    private readonly int _hertz;
    private readonly bool _jitter;
    private readonly Random _random = new(5);
    private readonly long[] _levels;
    private long _nextSecond = 1_700_000_000;

    public MixedSeries(int series, int hertz, bool jitter)
    {
        _hertz = hertz;
        _jitter = jitter;
        _levels = new long[series];
        Types = new MetricType[series];
        for (var i = 0; i < series; i++)
        {
            Types[i] = Kind(i) switch
            {
                6 or 7 => MetricType.UInt,
                8 => MetricType.Bool,
                _ => MetricType.Float,
            };
            _levels[i] = Kind(i) == 8 ? 0 : _random.Next(500, 5000);
        }
    }

    public MetricType[] Types { get; }

    /// <summary>The readings of the next seconds.</summary>
    public ReadingBatch Next(int seconds)
    {
        var batch = new ReadingBatch();
        for (var tick = 0; tick < seconds * _hertz; tick++)
        {
            for (var series = 0; series < Types.Length; series++)
            {
                var late = _jitter ? _random.Next(JitterMicros) : 0;
                batch.Add(series, (_nextSecond * 1_000_000) + (tick * 1_000_000L / _hertz) + late, Value(series));
            }
        }

        _nextSecond += seconds;
        return batch;
    }

    private int Kind(int series) => series * 10 / Types.Length;

    private ulong Value(int series) => Kind(series) switch
    {
        6 or 7 => (ulong)(_levels[series] += _random.Next(100)),
        8 => (ulong)(_levels[series] ^= _random.Next(20) == 0 ? 1 : 0),
        9 => BitConverter.DoubleToUInt64Bits((float)(20 + (_random.NextDouble() * 10))),
        _ => BitConverter.DoubleToUInt64Bits((_levels[series] += _random.Next(-20, 21)) / 100.0),
    };
}
