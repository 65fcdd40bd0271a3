using Telemetry.Model.Wire;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Rules.Measures;

/// <summary>
/// How fast the value changes: the difference to the reading before, for each <paramref name="per"/>.
/// </summary>
public sealed class RateMeasure(TimeSpan per) : IMeasure
{
    private readonly double _perMicros = per.Ticks / (double)TimeSpan.TicksPerMicrosecond;

    public bool HasMemory => true;

    public TimeSpan Reach => TimeSpan.Zero;

    public bool TryTake(ref MeasureMemory memory, long timeMicros, double value, out double measured)
    {
        var before = memory;
        memory = new MeasureMemory(timeMicros, value);
        measured = before.IsEmpty ? 0 : (value - before.Value) / (timeMicros - before.TimeMicros) * _perMicros;
        return !before.IsEmpty && !double.IsNaN(measured);
    }

    public void Write(WireWriter writer)
    {
        writer.Text("rate");
        writer.UInt64((ulong)per.Ticks);
    }
}
