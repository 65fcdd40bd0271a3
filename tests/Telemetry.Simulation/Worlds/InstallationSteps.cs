using Telemetry.Cloud.Hosting;
using Telemetry.Model.Installations;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Simulation.Worlds;

/// <summary>
/// The first step of each cloud process: it finds the facts of its installation, again and again until database or log
/// answer. Ends with an <see cref="InstallationException"/> where it is configured otherwise.
/// </summary>
internal static class InstallationSteps
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>As a process that has the database does it.</summary>
    public static Task<InstallationFacts> OfStoreAsync(
        IStore store, IFrameLog log, int partitions, Random random, TimeProvider time, CancellationToken stop) =>
        UntilAnsweredAsync(
            async () => await InstallationStart.OfStoreAsync(store, log, partitions, random, stop), time, stop);

    /// <summary>As a process without the database does it.</summary>
    public static Task<InstallationFacts> OfLogAsync(
        IFrameLog log, int partitions, TimeProvider time, CancellationToken stop) =>
        UntilAnsweredAsync(() => InstallationStart.OfLogAsync(log, partitions, stop), time, stop);

    private static async Task<InstallationFacts> UntilAnsweredAsync(
        Func<Task<InstallationFacts?>> find, TimeProvider time, CancellationToken stop)
    {
        while (true)
        {
            try
            {
                if (await find() is { } facts)
                {
                    return facts;
                }
            }
            catch (Exception e) when (e is FrameLogException or StoreException)
            {
                // Out of reach.
            }

            await Task.Delay(RetryAfter, time, stop);
        }
    }
}
