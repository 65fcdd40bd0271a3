using Telemetry.Model.Installations;
using Telemetry.Streams;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Looks every few seconds at what the log says of the installation, for an ingress, which has no database, and for a
/// dashboard. While a repartition is under way the ingress is closed; once the facts are others than those it began
/// with, it ends.
/// </summary>
internal sealed class InstallationWatch(IFrameLog log, Action<string?> close, TimeProvider time)
{
    /// <summary>How often it looks. What is sent to another generation's streams meanwhile reaches none.</summary>
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2);

    /// <summary>Runs until cancelled; throws <see cref="InstallationException"/> when the facts have changed.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await LookAsync(cancellationToken);
                await Task.Delay(Every, time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        try
        {
            // Nothing is said while somebody wiped the log: whoever has the database makes its streams again.
            if (await log.FindInstallationAsync(cancellationToken) is not { } told)
            {
                return;
            }

            if (told.Facts != log.Facts)
            {
                throw InstallationException.Changed(log.Facts!, told.Facts, InstallationException.InLog);
            }

            close(told.Closed);
        }
        catch (FrameLogException)
        {
            // Out of reach: appends fail as well, and say so.
        }
    }
}
