using Telemetry.Model.Identity;
using Telemetry.Storage.Alerts;

namespace Telemetry.Alerting.Relay;

/// <summary>
/// The lease of the relay that leads. It only prevents two relays from fencing each other in turns: the proof that no
/// other relay publishes is the sink's fencing.
/// </summary>
internal sealed class RelayLease(IAlertOutbox outbox, RelayOptions options, TimeProvider time, Random random)
{
    private long _token;
    private long _renewed;

    /// <summary>Asks for the lease; false while another relay holds it.</summary>
    public async Task<bool> TryTakeAsync(CancellationToken cancellationToken)
    {
        var (asked, token) = (time.GetTimestamp(), unchecked((long)random.NextId()));
        if (!await outbox.TakeLeaseAsync(options.Name, token, options.Owner, options.Lease, cancellationToken))
        {
            return false;
        }

        (_token, _renewed) = (token, asked);
        return true;
    }

    /// <summary>
    /// Renews the lease when that is due; throws <see cref="RelayLeaseLostException"/> when another relay holds it.
    /// </summary>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        if (time.GetElapsedTime(_renewed) < options.RenewEvery)
        {
            return;
        }

        var asked = time.GetTimestamp();
        if (!await outbox.RenewLeaseAsync(options.Name, _token, options.Lease, cancellationToken))
        {
            throw new RelayLeaseLostException();
        }

        _renewed = asked;
    }

    /// <summary>Gives the lease back.</summary>
    public Task ReleaseAsync(CancellationToken cancellationToken) =>
        outbox.ReleaseLeaseAsync(options.Name, _token, cancellationToken);
}

/// <summary>Another relay took the lease, or the database was restored.</summary>
internal sealed class RelayLeaseLostException() : Exception("the lease was lost");
