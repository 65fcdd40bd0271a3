namespace Telemetry.Inputs.HostMetrics;

/// <summary>Something of the host that is measured; what the machine lacks adds nothing.</summary>
internal interface IHostSource : IDisposable
{
    void Measure(HostSample sample);
}
