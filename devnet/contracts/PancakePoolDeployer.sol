// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// Stands in for PancakeV3PoolDeployer, the one contract of Pancake v3's core whose code its package does not ship. It
/// creates the real pools, whose code it is given, for the real factory. The code lies in a contract of its own: two of
/// that size do not fit into one.
contract PancakePoolDeployer {
    /// What a pool asks its creator for while it is created.
    struct Parameters {
        address factory;
        address token0;
        address token1;
        uint24 fee;
        int24 tickSpacing;
    }

    error NotFactory(address caller);
    error FactoryIsSet();

    /// @dev Creation code that returns all that follows it: PUSH2 size, then DUP1 PUSH1 10 0 CODECOPY 0 RETURN.
    bytes7 private constant RETURN_THE_REST = 0x80600a3d393df3;

    Parameters public parameters;
    address public factoryAddress;
    address private immutable poolCode;

    /// @param poolCode_ creation code of PancakeV3Pool
    constructor(bytes memory poolCode_) {
        bytes memory creation =
            abi.encodePacked(bytes1(0x61), uint16(poolCode_.length + 1), RETURN_THE_REST, bytes1(0), poolCode_);
        address created;
        assembly {
            created := create(0, add(creation, 32), mload(creation))
        }
        require(created != address(0));
        poolCode = created;
    }

    function setFactoryAddress(address factory) external {
        if (factoryAddress != address(0)) revert FactoryIsSet();
        factoryAddress = factory;
    }

    function deploy(address factory, address token0, address token1, uint24 fee, int24 tickSpacing)
        external
        returns (address pool)
    {
        if (msg.sender != factoryAddress) revert NotFactory(msg.sender);
        parameters = Parameters(factory, token0, token1, fee, tickSpacing);
        bytes32 salt = keccak256(abi.encode(token0, token1, fee));
        address source = poolCode;
        assembly {
            // Without the byte before the code, which keeps it from being run.
            let size := sub(extcodesize(source), 1)
            let creation := mload(64)
            extcodecopy(source, creation, 1, size)
            pool := create2(0, creation, size, salt)
        }
        require(pool != address(0));
        delete parameters;
    }
}
