using Microsoft.Extensions.Logging;
using Telemetry.Diagnostics.Failures;
using Telemetry.Storage;

namespace Telemetry.Processing;

/// <summary>
/// What can be wrong with one worker, each said once when it begins and once when it ends. What is out of reach for the
/// whole process (database, log) is said by the process, and the worker is silent meanwhile.
/// </summary>
internal sealed class ProcessorFailures(
    int worker, TimeProvider time, ILogger logger, ReportedFailure? database = null, ReportedFailure? log = null)
{
    /// <summary>Transactions fail.</summary>
    public ReportedFailure Storing { get; } = new(
        $"Worker {worker} cannot store", $"Worker {worker} stores again", time, logger, database);

    /// <summary>The leases cannot be looked at or taken.</summary>
    public ReportedFailure Leases { get; } = new(
        $"Worker {worker} cannot ask for leases", $"Worker {worker} asks for leases again", time, logger, database);

    /// <summary>
    /// The database refuses rows for their own sake; they become dead letters, and what is with them is stored.
    /// </summary>
    public ReportedFailure Data { get; } = new(
        $"Worker {worker} found data that the database refuses; it is looked for, kept as dead letters",
        $"Worker {worker} stores without refusals again", time, logger);

    /// <summary>Streams cannot be read, or words not be sent down.</summary>
    public ReportedFailure Reading { get; } = new(
        $"Worker {worker} cannot use the log", $"Worker {worker} uses the log again", time, logger, log);

    /// <summary>Notes an error of the database where it belongs.</summary>
    public void Failed(ReportedFailure trouble, StoreException error)
    {
        if (error.IsUnreachable && database is not null)
        {
            database.Failed(error.Message);
        }
        else
        {
            trouble.Failed(error.Message);
        }
    }
}
