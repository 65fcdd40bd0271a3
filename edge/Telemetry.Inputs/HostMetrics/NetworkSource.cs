namespace Telemetry.Inputs.HostMetrics;

/// <summary>/proc/net/dev: bytes over each interface but the machine's own loop.</summary>
internal sealed class NetworkSource(string root) : IHostSource
{
    private readonly KernelFile _file = new(Path.Combine(root, "proc/net/dev"));

    public void Measure(HostSample sample)
    {
        var text = new KernelText(_file.Read());
        for (var row = 0; text.TryLine(out var line); row++)
        {
            var name = line.Word();
            if (row < 2 || name.SequenceEqual("lo"u8) || !line.TryCounter(out var received))
            {
                continue;
            }

            line.Skip(7);
            if (line.TryCounter(out var sent))
            {
                sample.Add(HostMetric.NetworkReceived, name, received);
                sample.Add(HostMetric.NetworkSent, name, sent);
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
