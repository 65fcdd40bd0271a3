using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>A test that needs a disk which really runs full; skipped where the tests may not mount.</summary>
public sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute() => Skip = SmallDisk.WhyNot;
}
