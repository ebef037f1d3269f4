/** Metadata of a line as a service logs it for each request. */
export const TYPICAL = {
  ...{ requestId: '0f8fad5b-d9cb-469f-a165-70867728950e', userId: 81_726, service: 'orders', method: 'GET' },
  ...{ path: '/v1/orders/81726', status: 200, duration: 12.25, ip: '10.0.12.34', cached: false, size: 1834 },
};
