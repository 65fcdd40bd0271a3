using Telemetry.Model.Wire;
using Telemetry.Storage.Alerts;

namespace Telemetry.Processing.Alerts.Rules.Measures;

/// <summary>The value of the reading itself.</summary>
public sealed class ValueMeasure : IMeasure
{
    /// <summary>There is only one: it is made of nothing.</summary>
    public static readonly ValueMeasure Instance = new();

    public bool HasMemory => false;

    public TimeSpan Reach => TimeSpan.Zero;

    public bool TryTake(ref MeasureMemory memory, long timeMicros, double value, out double measured)
    {
        measured = value;
        return true;
    }

    /// <summary>Nothing: rules of this kind had a version before there were other kinds.</summary>
    public void Write(WireWriter writer)
    {
    }
}
