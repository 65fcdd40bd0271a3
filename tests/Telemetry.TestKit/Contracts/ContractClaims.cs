using System.Reflection;
using Xunit;
using Xunit.Sdk;

namespace Telemetry.TestKit.Contracts;

/// <summary>
/// The tests of a contract, by name: so that each is a row of a theory that is skipped, by name, where its server is
/// missing.
/// </summary>
public static class ContractClaims
{
    /// <summary>The facts, and the theories once for each of their rows; without those that are named.</summary>
    public static TheoryData<string> Of<TContract>(params string[] without) =>
        [.. All(typeof(TContract)).Select(claim => claim.Name).Except(without).Order(StringComparer.Ordinal)];

    /// <summary>Runs one of them.</summary>
    public static Task RunAsync<TContract>(TContract contract, string name)
        where TContract : class
    {
        var (_, method, arguments) = All(typeof(TContract)).Single(claim => claim.Name == name);
        return (Task)method.Invoke(contract, arguments)!;
    }

    private static IEnumerable<(string Name, MethodInfo Method, object?[] Arguments)> All(Type contract) =>
        from method in contract.GetMethods()
        where method.IsDefined(typeof(FactAttribute), inherit: true)
        from row in Rows(method).Index()
            // By number: two rows may look the same, as texts that no database holds do.
        select (row.Item.Length == 0 ? method.Name : $"{row.Index + 1}: {method.Name}", method, row.Item);

    private static IEnumerable<object?[]> Rows(MethodInfo method) =>
        method.IsDefined(typeof(TheoryAttribute), inherit: true)
            ? method.GetCustomAttributes<DataAttribute>().SelectMany(data => data.GetData(method))
            : [[]];
}
