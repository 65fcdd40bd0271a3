using Xunit;

namespace Telemetry.TestKit.Readings;

/// <summary>A test that needs recorded sensor data; it is skipped where there is none.</summary>
public sealed class SensorDataFactAttribute : FactAttribute
{
    public SensorDataFactAttribute() => Skip = SensorDataSkip.Reason;
}

/// <inheritdoc cref="SensorDataFactAttribute"/>
public sealed class SensorDataTheoryAttribute : TheoryAttribute
{
    public SensorDataTheoryAttribute() => Skip = SensorDataSkip.Reason;
}

file static class SensorDataSkip
{
    public static string? Reason =>
        SensorData.Folder is null ? "TELEMETRY_TEST_DATA names no folder of sensor data." : null;
}
