using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Health;
using Telemetry.Cloud.Hosting;
using Telemetry.Model.Installations;
using Telemetry.Storage;

namespace Telemetry.Cloud.Commands;

/// <summary>
/// The command <c>run</c>: runs the roles of the settings until it is stopped. The exit code is 0 when it was stopped
/// and 1 when it could not start, or go on, or stop in time.
/// </summary>
internal sealed class RunCommand(CloudSettings settings, TimeProvider time, Random random)
{
    private const int Failed = 1;

    public async Task<int> RunAsync(CancellationToken stop)
    {
        using var logging = ConsoleLogging.Create(settings, settings.LogLevel);
        var logger = logging.CreateLogger("Telemetry.Cloud");
        try
        {
            var running = new CloudHost(settings, time, random, logging).RunAsync(stop);
            await Task.WhenAny(running, Task.Delay(Timeout.Infinite, stop));
            await running.WaitAsync(settings.StopWithin, CancellationToken.None);
            return 0;
        }
        catch (TimeoutException) when (stop.IsCancellationRequested)
        {
            OperationsLog.StopCut(logger, settings.StopWithin);
        }
        catch (InstallationException e)
        {
            OperationsLog.InstallationRefused(logger, e.Message);
        }
        catch (StoreException e) when (e.InnerException is null && !e.IsDataFault)
        {
            // Our own refusal of the database (another version): it says all there is to say.
            OperationsLog.DatabaseRefused(logger, e.Message);
        }
        catch (StartException e)
        {
            OperationsLog.NotStarted(logger, e.Message);
        }
        catch (Exception e)
        {
            OperationsLog.Failed(logger, e);
        }

        return Failed;
    }
}
