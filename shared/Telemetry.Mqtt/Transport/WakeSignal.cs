namespace Telemetry.Mqtt.Transport;

/// <summary>Wakes one waiting loop; signals that come while nobody waits are kept as one. Set it under one lock only.</summary>
internal sealed class WakeSignal : IDisposable
{
    private readonly SemaphoreSlim _semaphore = new(0, 1);

    public void Set()
    {
        if (_semaphore.CurrentCount == 0) _semaphore.Release();
    }

    public Task WaitAsync(CancellationToken ct) => _semaphore.WaitAsync(ct);

    public void Dispose() => _semaphore.Dispose();
}
