using Telemetry.Model.Schemas;

namespace Telemetry.Inputs.HostMetrics;

/// <summary>One quantity of the host; <paramref name="PartLabel"/> names what there may be several of.</summary>
internal readonly record struct HostMetric(
    string Name, string Unit, MetricType Type = MetricType.Float, byte Decimals = 1, string PartLabel = "")
{
    public static readonly HostMetric CpuBusy = new("cpu.busy", "%", PartLabel: "cpu");
    public static readonly HostMetric Load = new("cpu.load1", "1", Decimals: 2);
    public static readonly HostMetric MemoryTotal = new("memory.total", "By", MetricType.UInt);
    public static readonly HostMetric MemoryAvailable = new("memory.available", "By", MetricType.UInt);
    public static readonly HostMetric SwapFree = new("memory.swap.free", "By", MetricType.UInt);
    public static readonly HostMetric DiskRead = new("disk.read", "By", MetricType.UInt, PartLabel: "disk");
    public static readonly HostMetric DiskWritten = new("disk.written", "By", MetricType.UInt, PartLabel: "disk");
    public static readonly HostMetric FilesystemFree = new("filesystem.free", "By", MetricType.UInt, PartLabel: "path");
    public static readonly HostMetric NetworkReceived = new(
        "network.received", "By", MetricType.UInt, PartLabel: "interface");
    public static readonly HostMetric NetworkSent = new("network.sent", "By", MetricType.UInt, PartLabel: "interface");
    public static readonly HostMetric Temperature = new("temperature", "Cel", PartLabel: "sensor");
    public static readonly HostMetric Uptime = new("uptime", "s", Decimals: 2);
}
