using Telemetry.Model.Wire;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Rules.Measures;

/// <summary>
/// For how many seconds readings have had the same value: 0 for a reading with another value than the one before. A
/// series of which nothing comes is not stuck.
/// </summary>
public sealed class StuckMeasure(TimeSpan duration) : IMeasure
{
    public bool HasMemory => true;

    public TimeSpan Reach => duration;

    public bool TryTake(ref MeasureMemory memory, long timeMicros, double value, out double measured)
    {
        // Of a memory that follows from the history the time is known, and the value is not.
        var isSame = !memory.IsEmpty && (double.IsNaN(memory.Value) || memory.Value.Equals(value));
        memory = new MeasureMemory(isSame ? memory.TimeMicros : timeMicros, value);
        measured = (timeMicros - memory.TimeMicros) / 1e6;
        return true;
    }

    public void Write(WireWriter writer)
    {
        writer.Text("stuck");
        writer.UInt64((ulong)duration.Ticks);
    }
}
