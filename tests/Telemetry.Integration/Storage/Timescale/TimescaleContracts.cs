using Telemetry.TestKit.Contracts;

namespace Telemetry.Integration.Storage.Timescale;

/// <summary>The store's contract on databases that the given function makes.</summary>
internal sealed class TimescaleStore(Func<Func<PostgresDatabase, Task>, Task> run) : StoreContract
{
    protected override Task RunAsync(Func<IStoreUnderTest, Task> test) => run(async database =>
    {
        await database.OpenAnother();
        await test(database);
    });
}

/// <summary>The contract of hypertables on databases that the given function makes.</summary>
internal sealed class TimescaleHypertables(Func<Func<PostgresDatabase, Task>, Task> run) : HypertableContract
{
    internal override Task RunAsync(Func<PostgresDatabase, Task> test) => run(test);
}

/// <summary>The contract of the columnstore on databases that the given function makes.</summary>
internal sealed class TimescaleColumnstore(Func<Func<PostgresDatabase, Task>, Task> run) : ColumnstoreContract
{
    internal override Task RunAsync(Func<PostgresDatabase, Task> test) => run(test);
}

/// <summary>The contract of what is removed from the columnstore, on databases that the given function makes.</summary>
internal sealed class TimescaleRemoval(Func<Func<PostgresDatabase, Task>, Task> run) : ColumnstoreRemovalContract
{
    internal override Task RunAsync(Func<PostgresDatabase, Task> test) => run(test);
}
